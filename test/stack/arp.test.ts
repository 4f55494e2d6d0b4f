/** ARP (RFC 826, RFC 5227): replies, what is learned and what is not, retry, back-off, expiry. */
import { expect, test } from "bun:test";
import {
  COUNTER_ARP_REPLIES_SENT,
  COUNTER_ARP_REQUESTS_SENT,
  COUNTER_DROP_ARP,
  COUNTER_DROP_ETHERTYPE,
  COUNTER_DROP_NEIGHBOUR_UNRESOLVED,
  COUNTER_DROP_OTHER_MAC,
  COUNTER_DROP_SOURCE_ADDRESS,
  COUNTER_DROP_TRUNCATED,
  ERRNO_EHOSTUNREACH,
  KIND_DATAGRAM,
  KIND_STREAM,
} from "../../assembly/layout";
import { parseIpv4 } from "../../src/wasm/address";
import { Host } from "./host";
import {
  addressText,
  arpFrame,
  broadcastMac,
  concat,
  echo,
  ethernet,
  hostAddress,
  hostMac,
  icmpFrame,
  isArp,
  peerAddress,
  peerMac,
  readIpv4,
  readU16,
  tcpFrame,
} from "./packets";

const otherMac = Uint8Array.of(2, 0, 0, 0, 0, 9);

function target(frame: Uint8Array): string {
  return addressText(frame, 38);
}

function datagramSocket(host: Host): number {
  return host.stack.exports.socket(KIND_DATAGRAM);
}

/** Sends one byte to `address` and returns the frames that went out at once. */
function push(host: Host, qd: number, address: string): Uint8Array[] {
  host.stack.writeAddress(parseIpv4(address, "test"));
  const token = host.stack.exports.pushTo(qd, host.array(Uint8Array.of(1)), 9);
  expect(token).toBeGreaterThan(0);
  return host.sent().map(({ bytes }) => bytes);
}

test("a request for our address is answered to its sender alone", () => {
  const host = new Host();
  const [reply, ...rest] = host.exchange(arpFrame()) as [Uint8Array];
  expect(rest).toEqual([]);
  expect(reply).toEqual(
    concat(
      ethernet(Uint8Array.of(0, 1, 8, 0, 6, 4, 0, 2), {
        destination: peerMac,
        source: hostMac,
        type: 0x0806,
      }),
      hostMac,
      [10, 0, 0, 1],
      peerMac,
      [10, 0, 0, 2],
    ),
  );
  expect(host.counter(COUNTER_ARP_REPLIES_SENT)).toBe(1);
});

test("requests for others, replies and announcements are not answered and teach nothing new", () => {
  const host = new Host();
  expect(host.exchange(arpFrame({ target: "10.0.0.3" }))).toEqual([]);
  expect(host.exchange(arpFrame({ operation: 2, to: hostMac, targetMac: hostMac }))).toEqual([]);
  expect(host.exchange(arpFrame({ target: peerAddress }))).toEqual([]);
  const sent = push(host, datagramSocket(host), peerAddress);
  expect(sent.map(isArp)).toEqual([true]);
});

test("whoever asks for us is learned", () => {
  const host = new Host();
  host.exchange(arpFrame());
  const [packet] = push(host, datagramSocket(host), peerAddress) as [Uint8Array];
  expect(packet.subarray(0, 14)).toEqual(
    ethernet(new Uint8Array(0), { destination: peerMac, source: hostMac }),
  );
  expect(readIpv4(packet).destination).toBe(peerAddress);
});

test("a known neighbour that announces another MAC is sent to there", () => {
  const host = new Host();
  host.exchange(arpFrame());
  host.exchange(arpFrame({ senderMac: otherMac, target: peerAddress }));
  const [packet] = push(host, datagramSocket(host), peerAddress) as [Uint8Array];
  expect(packet.subarray(0, 6)).toEqual(otherMac);
});

test("a static entry is used at once and no ARP changes it", () => {
  const host = new Host();
  host.stack.setNeighbour(0, parseIpv4(peerAddress, "test"), peerMac);
  host.exchange(arpFrame({ senderMac: otherMac }));
  host.exchange(arpFrame({ senderMac: otherMac, operation: 2, to: hostMac }));
  host.advance(60_000_000);
  const [packet] = push(host, datagramSocket(host), peerAddress) as [Uint8Array];
  expect(packet.subarray(0, 6)).toEqual(peerMac);
});

test("packets wait for the answer, the oldest giving way, and leave in order", () => {
  const host = new Host();
  const qd = datagramSocket(host);
  expect(push(host, qd, peerAddress).map(isArp)).toEqual([true]);
  for (let index = 0; index < 65; index++) expect(push(host, qd, peerAddress)).toEqual([]);
  expect(host.counter(COUNTER_DROP_NEIGHBOUR_UNRESOLVED)).toBe(2);
  const sent = host.exchange(arpFrame({ operation: 2, to: hostMac, targetMac: hostMac }));
  expect(sent.length).toBe(64);
  expect(sent.every((packet) => readIpv4(packet).destination === peerAddress)).toBe(true);
  host.completions();
  expect(host.framesOut()).toBe(0);
});

test("requests are repeated with back-off, at most one a second, then the packets are given up", () => {
  const host = new Host({ arpRetries: 4, arpTimeoutUs: 4_000_000 });
  const start = host.nowUs;
  const qd = datagramSocket(host);
  push(host, qd, peerAddress);
  const times = [0];
  while (host.counter(COUNTER_DROP_NEIGHBOUR_UNRESOLVED) === 0 && times.length < 20) {
    host.advance(100_000);
    for (const { bytes } of host.sent()) {
      expect(isArp(bytes) && target(bytes) === peerAddress).toBe(true);
      expect(bytes.subarray(0, 6)).toEqual(broadcastMac);
      times.push(host.nowUs - start);
    }
  }
  const gaps = times
    .slice(1)
    .map((time, index) => Math.round((time - (times[index] as number)) / 1e6));
  expect(gaps).toEqual([1, 2, 4, 4]);
  expect(Math.round((host.nowUs - start) / 1e6)).toBe(15);
  expect(host.framesOut()).toBe(0);
  // A later packet starts anew.
  expect(push(host, qd, peerAddress).map(isArp)).toEqual([true]);
});

test("a neighbour in use is polled by unicast when its time is up, then forgotten", () => {
  const host = new Host({ arpTtlUs: 15_000_000 });
  const qd = datagramSocket(host);
  host.exchange(arpFrame());
  push(host, qd, peerAddress);
  host.advance(15_100_000);
  const polls = host.sent().map(({ bytes }) => bytes);
  expect(polls.map((bytes) => isArp(bytes) && target(bytes))).toEqual([peerAddress]);
  expect(polls[0]?.subarray(0, 6)).toEqual(peerMac);
  // It answers and stays.
  host.exchange(arpFrame({ operation: 2, to: hostMac, targetMac: hostMac }));
  expect(push(host, qd, peerAddress).map(isArp)).toEqual([false]);
  // It does not answer two polls and is asked for by broadcast again.
  host.advance(20_000_000);
  expect(host.sent().map(({ bytes }) => bytes[0])).toEqual([peerMac[0], peerMac[0]]);
  const [request] = push(host, qd, peerAddress) as [Uint8Array];
  expect(request.subarray(0, 6)).toEqual(broadcastMac);
});

test("an idle neighbour is forgotten without a poll", () => {
  const host = new Host({ arpTtlUs: 15_000_000 });
  host.exchange(arpFrame());
  const before = host.counter(COUNTER_ARP_REQUESTS_SENT);
  host.advance(16_000_000);
  expect(host.counter(COUNTER_ARP_REQUESTS_SENT)).toBe(before);
  expect(push(host, datagramSocket(host), peerAddress).map(isArp)).toEqual([true]);
});

test("a probe for our address is answered but not learned (RFC 5227 section 2.1.1)", () => {
  const host = new Host();
  const [reply] = host.exchange(arpFrame({ sender: "0.0.0.0" })) as [Uint8Array];
  expect(addressText(reply, 28)).toBe(hostAddress);
  expect(push(host, datagramSocket(host), "10.0.0.7").map(target)).toEqual(["10.0.0.7"]);
});

test("our address is defended against another host once in ten seconds (RFC 5227 section 2.4)", () => {
  const host = new Host();
  const conflict = arpFrame({ sender: hostAddress, senderMac: otherMac });
  host.advance(10_000_000);
  const [defence] = host.exchange(conflict) as [Uint8Array];
  expect(defence.subarray(0, 6)).toEqual(broadcastMac);
  expect([addressText(defence, 28), target(defence)]).toEqual([hostAddress, hostAddress]);
  expect(host.exchange(conflict)).toEqual([]);
  host.advance(10_000_000);
  expect(host.exchange(conflict).length).toBe(1);
  expect(host.counter(COUNTER_DROP_ARP)).toBe(3);
});

test("malformed and impossible ARP is dropped and counted (I10)", () => {
  const host = new Host();
  const wrong = [
    { hardwareType: 6 },
    { protocolType: 0x86dd },
    { hardwareLength: 0 },
    { hardwareLength: 255 },
    { protocolLength: 0 },
    { protocolLength: 255 },
    { operation: 0 },
    { operation: 3 },
    { operation: 65535 },
    { senderMac: broadcastMac },
    { senderMac: Uint8Array.of(1, 0, 0x5e, 0, 0, 1) },
    { senderMac: new Uint8Array(6) },
    { sender: "255.255.255.255" },
    { sender: "224.0.0.1" },
    { sender: "127.0.0.1" },
    { sender: "10.0.0.255" },
    { sender: "192.0.2.1" },
  ];
  for (const fields of wrong) expect(host.exchange(arpFrame(fields))).toEqual([]);
  expect(host.counter(COUNTER_DROP_ARP)).toBe(wrong.length);
  expect(host.framesOut()).toBe(0);
});

test("truncated ARP and Ethernet frames are dropped and counted (I10, I11)", () => {
  const host = new Host();
  const frame = arpFrame();
  for (let length = 0; length < frame.length; length++) {
    expect(host.exchange(frame.subarray(0, length))).toEqual([]);
  }
  expect(host.counter(COUNTER_DROP_TRUNCATED)).toBe(frame.length);
  expect(host.framesOut()).toBe(0);
});

test("an ARP packet that is cut between frames is dropped", () => {
  const host = new Host();
  expect(host.exchange(arpFrame(), { split: [20] })).toEqual([]);
  expect(host.counter(COUNTER_DROP_TRUNCATED)).toBe(1);
});

test("frames for others, groups, tags and unknown types are dropped and counted (I11)", () => {
  const host = new Host();
  const payload = icmpFrame(echo(new Uint8Array(8))).subarray(14);
  const toOthers = [
    otherMac,
    Uint8Array.of(1, 0, 0x5e, 0, 0, 1),
    Uint8Array.of(0x33, 0x33, 0, 0, 0, 1),
  ];
  for (const destination of toOthers) {
    expect(host.exchange(ethernet(payload, { destination }))).toEqual([]);
  }
  expect(host.counter(COUNTER_DROP_OTHER_MAC)).toBe(toOthers.length);

  expect(host.exchange(ethernet(payload, { source: broadcastMac }))).toEqual([]);
  expect(host.counter(COUNTER_DROP_SOURCE_ADDRESS)).toBe(1);

  const types = [0x0000, 0x05dc, 0x05ff, 0x86dd, 0x8100, 0x88a8, 0xffff];
  for (const type of types) expect(host.exchange(ethernet(payload, { type }))).toEqual([]);
  let tagged = ethernet(payload);
  for (let tags = 1; tags <= 8; tags++) {
    tagged = concat(tagged.subarray(0, 12), [0x81, 0, 0, 5], tagged.subarray(12));
    expect(host.exchange(tagged)).toEqual([]);
  }
  expect(host.counter(COUNTER_DROP_ETHERTYPE)).toBe(types.length + 8);
  expect(host.framesOut()).toBe(0);
});

test("a jumbo frame in a chain is received like any other (I11)", () => {
  const host = new Host({}, { mtu: 9000 });
  host.exchange(arpFrame());
  const [reply] = host.exchange(icmpFrame(echo(new Uint8Array(8900)))) as [Uint8Array];
  expect(readU16(reply, 16)).toBe(20 + 8 + 8900);
});

test("a flood of requests fills the table only, and a neighbour in use survives it", () => {
  const host = new Host({ neighbours: 16 });
  const qd = datagramSocket(host);
  host.exchange(arpFrame());
  for (let index = 0; index < 2000; index++) {
    host.exchange(arpFrame({ sender: `10.0.0.${3 + (index % 250)}`, senderMac: otherMac }));
    const sent = push(host, qd, peerAddress);
    expect(sent.map(isArp)).toEqual([false]);
    expect(sent[0]?.subarray(0, 6)).toEqual(peerMac);
    host.completions();
  }
  expect(host.framesOut()).toBe(0);
});

test("a host that nobody answers for fails a connect and a connected pop with EHOSTUNREACH", () => {
  const host = new Host();
  host.stack.writeAddress(parseIpv4(peerAddress, "test"));
  const stream = host.stack.exports.socket(KIND_STREAM);
  const connect = host.stack.exports.connect(stream, 80);
  const qd = datagramSocket(host);
  host.stack.writeAddress(parseIpv4(peerAddress, "test"));
  host.stack.exports.connect(qd, 9);
  host.stack.exports.push(qd, host.array(Uint8Array.of(1)));
  const pop = host.stack.exports.pop(qd, 0);
  host.completions();
  host.advance(8_000_000);
  const failed = host.completions().map(({ token, errno }) => [token, errno]);
  expect(failed.sort()).toEqual(
    [
      [connect, ERRNO_EHOSTUNREACH],
      [pop, ERRNO_EHOSTUNREACH],
    ].sort(),
  );
  host.sent();
  expect(host.framesOut()).toBe(0);
});

test("a connection that outlives its neighbour's failure asks again", () => {
  const host = new Host({ arpRetries: 1 });
  const listener = host.stack.exports.socket(KIND_STREAM);
  host.stack.writeAddress(0);
  expect(host.stack.exports.bind(listener, 80)).toBe(0);
  expect(host.stack.exports.listen(listener, 4)).toBe(0);
  // The SYN's sender is not known, so the SYN-ACK and its repetitions wait for ARP.
  host.send(tcpFrame(new Uint8Array(0), { source: "10.0.0.9" }));
  host.advance(3_500_000);
  expect(host.counter(COUNTER_DROP_NEIGHBOUR_UNRESOLVED)).toBeGreaterThan(0);
  host.sent();
  host.advance(5_000_000);
  const asked = host.sent().map(({ bytes }) => isArp(bytes) && target(bytes));
  expect(asked).toContain("10.0.0.9");
  host.advance(100_000_000);
  host.sent();
  expect(host.framesOut()).toBe(0);
});

test("one packet waits for a neighbour even while frames are short (it may give some back)", () => {
  const host = new Host({ frames: 128, ringEntries: 32 });
  const qd = datagramSocket(host);
  const { exports } = host.stack;
  const taken: number[] = [];
  for (let frame = exports.allocate(1); frame !== 0; frame = exports.allocate(1)) taken.push(frame);
  const array = taken.pop() as number;
  host.stack.writeAddress(parseIpv4("10.0.0.77", "test"));
  expect(exports.pushTo(qd, array, 9)).toBeGreaterThan(0);
  expect(host.sent().map(({ bytes }) => isArp(bytes))).toEqual([true]);
  expect(host.counter(COUNTER_DROP_NEIGHBOUR_UNRESOLVED)).toBe(0);
  host.send(
    arpFrame({ operation: 2, sender: "10.0.0.77", senderMac: otherMac, targetMac: hostMac }),
  );
  expect(host.sent().map(({ bytes }) => isArp(bytes))).toEqual([false]);
  for (const frame of taken) exports.release(frame);
});
