/** Runs scripts that stand in a test, against the stack. */
import type { RunResult } from "../../../src/packetdrill/run/report";
import { runScript } from "../../../src/packetdrill/run/run";
import { StackTarget } from "../../../src/packetdrill/targets/stack";
import { stackModule } from "../../../src/wasm/module";

/** Seven events: a connection that the stack accepted; descriptor 4, both next numbers are 1. */
export const accepted = `0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
+0 bind(3, ..., ...) = 0
+0 listen(3, 1) = 0
+0 < S 0:0(0) win 60000 <mss 1000>
+0 > S. 0:0(0) ack 1 <mss 1460>
+0.1 < . 1:1(0) ack 1 win 60000
+0 accept(3, ..., ...) = 4
`;

/** Acknowledgments are delayed from the first segment on: there is something to wait for. */
export function runText(text: string): Promise<RunResult> {
  return runScript({ file: "t.pkt", text }, (options) => {
    const target = new StackTarget(stackModule(), "linux", options);
    target.command("sysctl demibun.quickAcks=0");
    return target;
  });
}
