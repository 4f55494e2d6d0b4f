/**
 * Every number that the stack (compiled by asc), its host (run by Bun) and the C shims share.
 * build/all.ts prints it as shims/include/layout.h. Sizes are bytes unless the name says otherwise.
 */

/** Static data of the module ends below this address; every region lies above it. */
export const REGIONS_BASE: u32 = 65536;
export const PAGE_SIZE: u32 = 4096;

// Frames: the unit of the pool. A packet is a chain of frames; a frame is one AF_XDP chunk.
export const FRAME_SHIFT: u32 = 11;
export const FRAME_SIZE: u32 = 2048;
export const FRAME_RECORD_SHIFT: u32 = 5;
export const FRAME_RECORD_SIZE: u32 = 32;
export const FRAME_NEXT: u32 = 0;
export const FRAME_LINK: u32 = 4;
export const FRAME_OFFSET: u32 = 8;
export const FRAME_LENGTH: u32 = 10;
export const FRAME_REFERENCES: u32 = 12;
export const FRAME_FLAGS: u32 = 14;
export const FRAME_TOTAL: u32 = 16;
export const FRAME_MARK: u32 = 24;
// Marks of a frame in a send queue.
/** Selectively acknowledged. */
export const FRAME_SACKED: u32 = 1;
/** Sent again since it was last found lost. */
export const FRAME_REPEATED: u32 = 2;
/** Found lost and not sent again yet. */
export const FRAME_LOST: u32 = 4;

/** Received data starts this far into a frame, as in AF_XDP's copy mode. */
export const RX_HEADROOM: u32 = 256;
/** Data to send starts this far into a frame: metadata 24, Ethernet 14, IPv6 40, TCP 20 + 30. */
export const TX_HEADROOM: u32 = 128;
/** Payload bytes of one frame that `allocate` hands out at most. */
export const FRAME_PAYLOAD: u32 = FRAME_SIZE - TX_HEADROOM;

// Rings: AF_XDP's own format. The offsets are the defaults; a device may tell others at attach.
export const RING_RX: u32 = 0;
export const RING_TX: u32 = 1;
export const RING_FILL: u32 = 2;
export const RING_COMPLETION: u32 = 3;
export const RING_COUNT: u32 = 4;
export const RING_PRODUCER: u32 = 0;
export const RING_CONSUMER: u32 = 128;
export const RING_FLAGS: u32 = 196;
export const RING_DESCRIPTORS: u32 = 320;
/** Set by the kernel in a ring's flags word: the other side sleeps until it is woken. */
export const RING_NEED_WAKEUP: u32 = 1;
export const DESCRIPTOR_SIZE: u32 = 16;
export const DESCRIPTOR_LENGTH: u32 = 8;
export const DESCRIPTOR_OPTIONS: u32 = 12;
export const ADDRESS_ENTRY_SIZE: u32 = 8;
/** The packet continues in the next descriptor (AF_XDP's XDP_PKT_CONTD). */
export const OPTION_CONTINUED: u32 = 1;
/** Offload metadata stands right before the data (AF_XDP's XDP_TX_METADATA). */
export const OPTION_METADATA: u32 = 2;

// Offload metadata, the 24 bytes before a packet's first byte (struct xsk_tx_metadata's place).
export const METADATA_SIZE: u32 = 24;
export const METADATA_FLAGS: u32 = 0;
export const METADATA_CHECKSUM_START: u32 = 8;
export const METADATA_CHECKSUM_OFFSET: u32 = 10;
export const METADATA_SEGMENT_SIZE: u32 = 12;
export const METADATA_HEADER_LENGTH: u32 = 14;
/** The checksum field holds only the pseudo-header's sum (XDP_TXMD_FLAGS_CHECKSUM). */
export const OFFLOAD_CHECKSUM_PARTIAL: u32 = 2;
/** The device has verified the transport checksum (received packets only). */
export const OFFLOAD_CHECKSUM_VERIFIED: u32 = 256;

// What an interface's device can do; bits of the interface record's capabilities.
/** Sends packets whose transport checksum is partial, told by metadata. */
export const CAPABILITY_CHECKSUM: u32 = 1;
/** Takes segments above the MTU with a segment size in the metadata. */
export const CAPABILITY_SEGMENTATION: u32 = 2;
/** Takes a packet as a chain of descriptors. */
export const CAPABILITY_CHAINS: u32 = 4;
/** A peer on the same host may deliver partial checksums without any metadata (veth). */
export const CAPABILITY_PARTIAL_RECEIVE: u32 = 8;
/** The other side of the rings is the kernel or another thread, so indexes are stored atomically. */
export const CAPABILITY_SHARED_RINGS: u32 = 16;

// The interface record (assembly/link/interface.ts).
export const INTERFACE_SIZE: u32 = 256;
export const INTERFACE_MAC: u32 = 0;
export const INTERFACE_PREFIX: u32 = 6;
export const INTERFACE_ADDRESS: u32 = 16;
export const INTERFACE_MTU: u32 = 32;
export const INTERFACE_CAPABILITIES: u32 = 36;
export const INTERFACE_SEGMENT_MAX: u32 = 40;
export const INTERFACE_CHAIN_MAX: u32 = 44;
export const INTERFACE_GATEWAY: u32 = 64;
export const INTERFACE_POSTED_MAX: u32 = 68;
export const INTERFACE_RINGS: u32 = 96;
export const RING_RECORD_SIZE: u32 = 32;

// The control page: the first region, a fixed place for what host and stack tell each other.
export const CONTROL: u32 = REGIONS_BASE;
/** Where the host writes the limits and defaults before it calls `open` (OPEN_… words of u32). */
export const CONTROL_OPEN: u32 = CONTROL;
export const OPEN_FRAMES: u32 = 0;
export const OPEN_CONNECTIONS: u32 = 4;
export const OPEN_QUEUES: u32 = 8;
export const OPEN_TOKENS: u32 = 12;
export const OPEN_DATAGRAM_SOCKETS: u32 = 16;
export const OPEN_NEIGHBOURS: u32 = 20;
export const OPEN_INTERFACES: u32 = 24;
export const OPEN_RING_ENTRIES: u32 = 28;
export const OPEN_RECEIVE_BUFFER: u32 = 32;
export const OPEN_SEND_BUFFER: u32 = 36;
export const OPEN_RTO_MIN_US: u32 = 40;
export const OPEN_TIME_WAIT_US: u32 = 44;
export const OPEN_DELAYED_ACK_US: u32 = 48;
/** Largest MSS to announce; 0 derives it from the interface's MTU. */
export const OPEN_MSS: u32 = 52;
/**
 * 1: Nagle off by default; 2: timestamps are offered (RFC 7323); 4: SACK is offered (RFC 2018); 8: idle
 * connections are probed; TCP_FLAG_….
 */
export const OPEN_TCP_FLAGS: u32 = 56;
/** The first data of a connection are acknowledged without delay. */
export const TCP_FLAG_QUICK_ACKS: u32 = 65536;
/** OPEN_RTO_MIN_US is the least that is added to the round trip, not the least of the sum. */
export const TCP_FLAG_ADD_RTO_MIN: u32 = 131072;
/** Closed windows are probed without data. */
export const TCP_FLAG_BARE_PROBES: u32 = 262144;
/** Slow start counts what an acknowledgment delivers: all of it, and nothing that was told before. */
export const TCP_FLAG_COUNT_DELIVERED: u32 = 524288;
/** Receive buffers grow by themselves, up to OPEN_RECEIVE_BUFFER_MAX. */
export const TCP_FLAG_TUNE_RECEIVE: u32 = 1048576;
/** Data in a SYN are bounded by our own MSS while the server's is not known (RFC 7413 section 4.1.3: by 536). */
export const TCP_FLAG_LARGE_SYNS: u32 = 2097152;
/** Segments without the timestamps that were agreed on are taken. */
export const TCP_FLAG_MISSING_TIMESTAMPS: u32 = 4194304;
/** A loss reduces the window, not what was in flight. */
export const TCP_FLAG_REDUCE_WINDOW: u32 = 8388608;
/** Tails of which nobody speaks are probed (RFC 8985 section 7). */
export const TCP_FLAG_TAIL_PROBES: u32 = 16777216;
export const OPEN_ARP_TTL_US: u32 = 60;
export const OPEN_ARP_RETRIES: u32 = 64;
export const OPEN_ARP_TIMEOUT_US: u32 = 68;
export const OPEN_REASSEMBLY_SETS: u32 = 72;
/** CONTROLLER_… of new connections. */
export const OPEN_CONTROLLER: u32 = 76;
/** SYN_COOKIES_…. */
export const OPEN_SYN_COOKIES: u32 = 80;
/** Repetitions of a SYN, of a SYN-ACK and of data or window probes (R2) without an answer. */
export const OPEN_SYN_RETRIES: u32 = 84;
export const OPEN_SYN_ACK_RETRIES: u32 = 88;
export const OPEN_DATA_RETRIES: u32 = 92;
/** How long a closed socket waits for the peer's FIN, in milliseconds. */
export const OPEN_FIN_TIMEOUT_MS: u32 = 96;
/** Keep-alive of new sockets (RFC 9293 section 3.8.4), in milliseconds and probes. */
export const OPEN_KEEP_ALIVE_IDLE_MS: u32 = 100;
export const OPEN_KEEP_ALIVE_INTERVAL_MS: u32 = 104;
export const OPEN_KEEP_ALIVE_PROBES: u32 = 108;
/** What buffers grow to by themselves; at or below what they start with they stay as they are. */
export const OPEN_RECEIVE_BUFFER_MAX: u32 = 152;
export const OPEN_SEND_BUFFER_MAX: u32 = 156;
/** SOCKET_OPTION_UNSENT_MAX of new sockets. */
export const OPEN_UNSENT_MAX: u32 = 160;
/** OPEN_PATH_… bits: whom path MTU discovery believes. */
export const OPEN_PATH_MTU: u32 = 116;
/** Several timeouts of large segments let smaller ones be tried (RFC 4821 section 7.7). */
export const OPEN_PATH_BLACK_HOLES: u32 = 1;
/** A size that has arrived is not given up on an ICMP message alone (RFC 5927 section 7.2). */
export const OPEN_PATH_DOUBT: u32 = 2;
/** Fast Open (RFC 7413): FAST_OPEN_… bits. */
export const OPEN_FAST_OPEN: u32 = 136;
/** How long no data goes in SYNs on a path that has lost some; 0: it may at once. */
export const OPEN_FAST_OPEN_PAUSE_MS: u32 = 140;
/** ECN_… of new sockets, and OPEN_ECN_ALTERNATIVE_BACKOFF. */
export const OPEN_ECN: u32 = 144;
export const OPEN_ECN_MODE: u32 = 3;
/** An echo of congestion reduces the window by less than a loss (RFC 8511). */
export const OPEN_ECN_ALTERNATIVE_BACKOFF: u32 = 4;
/** 1: segments of new sockets leave evenly over the round trip. */
export const OPEN_PACING: u32 = 148;
/** 64 random bytes from the host: the one seed of every key and choice the stack makes. */
export const OPEN_SEED: u32 = 256;
export const OPEN_SEED_SIZE: u32 = 64;
/** Where the stack tells the host its regions after `open` (u32 addresses). */
export const CONTROL_MAP: u32 = CONTROL + 512;
export const MAP_INTERFACES: u32 = 0;
export const MAP_RINGS: u32 = 4;
export const MAP_COMPLETIONS: u32 = 8;
export const MAP_COMPLETION_MASK: u32 = 12;
export const MAP_FRAME_RECORDS: u32 = 16;
export const MAP_FRAMES: u32 = 20;
export const MAP_COUNTERS: u32 = 24;
export const MAP_RING_STRIDE: u32 = 28;
/** The pools of connection and queue records, for observers (assembly/transport/tcp/record.ts). */
export const MAP_CONNECTION_RECORDS: u32 = 32;
export const MAP_QUEUE_RECORDS: u32 = 36;
/** Indexes of the completion ring, u32, free running: written by the stack, read by the host. */
export const CONTROL_COMPLETION_PRODUCER: u32 = CONTROL + 648;
/** Written by the host after it took completions. */
export const CONTROL_COMPLETION_CONSUMER: u32 = CONTROL + 652;
/** Address argument of bind, connect, pushTo, … and result of localAddress, remoteAddress. */
export const CONTROL_ADDRESS: u32 = CONTROL + 672;
export const CONTROL_PORT: u32 = CONTROL + 688;
/** Six bytes: the MAC argument of neighbourSet. */
export const CONTROL_MAC: u32 = CONTROL + 704;
/** Sixteen bytes: the key argument of fastOpenKeySet. */
export const CONTROL_FAST_OPEN_KEY: u32 = CONTROL + 720;
/** Counters of u64, one a COUNTER_… index below. */
export const CONTROL_COUNTERS: u32 = CONTROL + 1024;
export const CONTROL_SIZE: u32 = 4096;

// IPv4 addresses are held as IPv4-mapped IPv6 (RFC 4291 section 2.5.5.2) in 16-byte places.
export const ADDRESS_SIZE: u32 = 16;
export const ADDRESS_IPV4: u32 = 12;

// A completion: what an operation's token resolved to.
export const COMPLETION_SIZE: u32 = 64;
/** The token as f64, exactly as the call that made it returned it. */
export const COMPLETION_TOKEN: u32 = 0;
export const COMPLETION_QD: u32 = 8;
export const COMPLETION_OPCODE: u32 = 12;
/** Positive errno when the opcode is OPCODE_FAILED. */
export const COMPLETION_ERRNO: u32 = 16;
/** First frame record of a popped array; the application owns the chain. 0 at end of stream. */
export const COMPLETION_FRAME: u32 = 20;
export const COMPLETION_BYTES: u32 = 24;
/** The accepted connection's queue descriptor. */
export const COMPLETION_ACCEPTED: u32 = 28;
/** The peer (accept, datagram pop): 16-byte address and port. */
export const COMPLETION_ADDRESS: u32 = 32;
export const COMPLETION_PORT: u32 = 48;

/** A token is generation × TOKEN_SLOTS + slot, an exact f64. */
export const TOKEN_SLOTS: u32 = 1048576;
/** Queue descriptors start here, as in Demikernel. */
export const QD_FIRST: u32 = 500;

export const OPCODE_INVALID: u32 = 0;
export const OPCODE_PUSH: u32 = 1;
export const OPCODE_POP: u32 = 2;
export const OPCODE_ACCEPT: u32 = 3;
export const OPCODE_CONNECT: u32 = 4;
export const OPCODE_CLOSE: u32 = 5;
export const OPCODE_FAILED: u32 = 6;

export const KIND_STREAM: u32 = 1;
export const KIND_DATAGRAM: u32 = 2;

export const SOCKET_OPTION_NODELAY: u32 = 1;
export const SOCKET_OPTION_LINGER: u32 = 2;
export const SOCKET_OPTION_RECEIVE_BUFFER: u32 = 3;
export const SOCKET_OPTION_SEND_BUFFER: u32 = 4;
export const SOCKET_OPTION_KEEP_ALIVE: u32 = 8;
export const SOCKET_OPTION_KEEP_ALIVE_IDLE: u32 = 9;
export const SOCKET_OPTION_KEEP_ALIVE_INTERVAL: u32 = 10;
export const SOCKET_OPTION_KEEP_ALIVE_PROBES: u32 = 11;
export const SOCKET_OPTION_CONTROLLER: u32 = 16;
export const SOCKET_OPTION_USER_TIMEOUT: u32 = 12;
// Manners of a push.
/** More is about to be pushed, so a segment that is not full may wait for it. */
export const PUSH_MORE: u32 = 1;
/** What follows begins a segment of its own. */
export const PUSH_RECORD_END: u32 = 2;

/** Segments that are not full wait for more, 200 ms at most. */
export const SOCKET_OPTION_CORK: u32 = 25;
/** 0: acknowledgments are delayed; else the next ones leave at once. */
export const SOCKET_OPTION_QUICK_ACK: u32 = 26;
/** Largest MSS to announce and to use; 0: what the interface takes. */
export const SOCKET_OPTION_MSS_MAX: u32 = 27;
/** Pushes wait while so many bytes have never been sent; 0: no limit but the send buffer. */
export const SOCKET_OPTION_UNSENT_MAX: u32 = 28;
/** The IP header's byte without its ECN bits, and its hop limit. */
export const SOCKET_OPTION_TYPE_OF_SERVICE: u32 = 29;
export const SOCKET_OPTION_TIME_TO_LIVE: u32 = 30;
/** Listener: connections that may be open before their handshake has ended; 0: none. */
export const SOCKET_OPTION_FAST_OPEN: u32 = 20;
/** Connect asks for a cookie, or waits for data that go in the SYN. */
export const SOCKET_OPTION_FAST_OPEN_CONNECT: u32 = 21;
/** Data go in SYNs, and are taken from them, without a cookie. */
export const SOCKET_OPTION_FAST_OPEN_NO_COOKIE: u32 = 22;
/** Read only: bytes of data that fit in the SYN of a connect that waits for them. */
export const SOCKET_OPTION_FAST_OPEN_ROOM: u32 = 31;
/** Repetitions of this socket's SYN without an answer; 0: OPEN_SYN_RETRIES. */
export const SOCKET_OPTION_SYN_RETRIES: u32 = 32;
/** ECN_…: whether connections begun from now on use explicit congestion notification. */
export const SOCKET_OPTION_ECN: u32 = 23;
/** Bytes a second that segments leave at, at most; 0: no such limit. It implies pacing. */
export const SOCKET_OPTION_PACING_RATE: u32 = 24;
/** Value of SOCKET_OPTION_LINGER when lingering is off; otherwise whole seconds. */
export const LINGER_OFF: i32 = -1;

// Who sizes a connection's congestion window: values of SOCKET_OPTION_CONTROLLER.
/** RFC 9438, with RFC 9406's HyStart++. */
export const CONTROLLER_CUBIC: i32 = 0;
/** RFC 5681. */
export const CONTROLLER_NEW_RENO: i32 = 1;

/** RFC 8257; NewReno where the peer does not agree on ECN. */
export const CONTROLLER_DCTCP: i32 = 2;

// Explicit congestion notification (RFC 3168): values of SOCKET_OPTION_ECN, Linux's numbers.
export const ECN_OFF: u32 = 0;
/** SYNs offer it, and it is agreed to. */
export const ECN_ON: u32 = 1;
/** It is agreed to when a peer offers it. */
export const ECN_PASSIVE: u32 = 2;

// When a listener answers a SYN by a cookie instead of a half-open connection (RFC 4987).
export const SYN_COOKIES_NEVER: u32 = 0;
/** When half-open and waiting connections fill the backlog. */
export const SYN_COOKIES_FULL: u32 = 1;
export const SYN_COOKIES_ALWAYS: u32 = 2;

// What of Fast Open the stack does, by the numbers that Linux's tcp_fastopen has for it.
/** Connects may ask for cookies and send data in SYNs. */
export const FAST_OPEN_CLIENT: u32 = 1;
/** Listeners that allow it take data from SYNs. */
export const FAST_OPEN_SERVER: u32 = 2;
/** Data in SYNs need no cookie: those we send, those we receive (RFC 7413 section 6.1). */
export const FAST_OPEN_CLIENT_NO_COOKIE: u32 = 4;
export const FAST_OPEN_SERVER_NO_COOKIE: u32 = 0x200;
/** Every listener allows as many requests as its backlog. */
export const FAST_OPEN_ALL_LISTENERS: u32 = 0x400;

export const SOMAXCONN: u32 = 4096;

// Linux errno numbers that the stack answers with (negated).
export const ERRNO_EPERM: i32 = 1;
export const ERRNO_ENOENT: i32 = 2;
export const ERRNO_EIO: i32 = 5;
export const ERRNO_EBADF: i32 = 9;
export const ERRNO_EAGAIN: i32 = 11;
export const ERRNO_ENOMEM: i32 = 12;
export const ERRNO_EACCES: i32 = 13;
export const ERRNO_EBUSY: i32 = 16;
export const ERRNO_EEXIST: i32 = 17;
export const ERRNO_ENODEV: i32 = 19;
export const ERRNO_EINVAL: i32 = 22;
export const ERRNO_EMFILE: i32 = 24;
export const ERRNO_EPIPE: i32 = 32;
export const ERRNO_ENOSYS: i32 = 38;
export const ERRNO_EDESTADDRREQ: i32 = 89;
export const ERRNO_EMSGSIZE: i32 = 90;
export const ERRNO_ENOPROTOOPT: i32 = 92;
export const ERRNO_ENOTSUP: i32 = 95;
export const ERRNO_EADDRINUSE: i32 = 98;
export const ERRNO_EADDRNOTAVAIL: i32 = 99;
export const ERRNO_ENETUNREACH: i32 = 101;
export const ERRNO_ECONNABORTED: i32 = 103;
export const ERRNO_ECONNRESET: i32 = 104;
export const ERRNO_ENOBUFS: i32 = 105;
export const ERRNO_EISCONN: i32 = 106;
export const ERRNO_ENOTCONN: i32 = 107;
export const ERRNO_ETIMEDOUT: i32 = 110;
export const ERRNO_ECONNREFUSED: i32 = 111;
export const ERRNO_EHOSTUNREACH: i32 = 113;
export const ERRNO_EALREADY: i32 = 114;
export const ERRNO_EINPROGRESS: i32 = 115;
export const ERRNO_ECANCELED: i32 = 125;
export const ERRNO_EOPNOTSUPP: i32 = 95;

// Counters. Gauges say how much is out of a pool now; the rest only grow.
export const COUNTER_FRAMES_OUT: u32 = 0;
export const COUNTER_CONNECTIONS_OPEN: u32 = 1;
export const COUNTER_TIMERS_ARMED: u32 = 2;
export const COUNTER_TOKENS_OUT: u32 = 3;
export const COUNTER_QUEUES_OPEN: u32 = 4;
export const COUNTER_RX_FRAMES: u32 = 8;
export const COUNTER_RX_BYTES: u32 = 9;
export const COUNTER_TX_FRAMES: u32 = 10;
export const COUNTER_TX_BYTES: u32 = 11;
export const COUNTER_TX_RING_FULL: u32 = 12;
export const COUNTER_POOL_EXHAUSTED: u32 = 13;
export const COUNTER_DROP_DESCRIPTOR: u32 = 16;
export const COUNTER_DROP_TRUNCATED: u32 = 17;
export const COUNTER_DROP_OTHER_MAC: u32 = 18;
export const COUNTER_DROP_ETHERTYPE: u32 = 19;
export const COUNTER_DROP_ARP: u32 = 20;
export const COUNTER_DROP_IP_HEADER: u32 = 21;
export const COUNTER_DROP_IP_CHECKSUM: u32 = 22;
export const COUNTER_DROP_OTHER_ADDRESS: u32 = 23;
export const COUNTER_DROP_SOURCE_ADDRESS: u32 = 24;
export const COUNTER_DROP_PROTOCOL: u32 = 25;
export const COUNTER_DROP_FRAGMENT: u32 = 26;
export const COUNTER_DROP_ICMP: u32 = 27;
export const COUNTER_DROP_UDP_HEADER: u32 = 28;
export const COUNTER_DROP_UDP_CHECKSUM: u32 = 29;
export const COUNTER_DROP_UDP_NO_SOCKET: u32 = 30;
export const COUNTER_DROP_UDP_QUEUE_FULL: u32 = 31;
export const COUNTER_DROP_TCP_HEADER: u32 = 32;
export const COUNTER_DROP_TCP_CHECKSUM: u32 = 33;
export const COUNTER_DROP_TCP_LAND: u32 = 34;
export const COUNTER_DROP_TCP_NO_LISTENER: u32 = 35;
export const COUNTER_DROP_TCP_BACKLOG_FULL: u32 = 36;
export const COUNTER_DROP_TCP_OUT_OF_WINDOW: u32 = 37;
export const COUNTER_DROP_TCP_UNACCEPTABLE: u32 = 38;
export const COUNTER_DROP_TCP_REASSEMBLY_FULL: u32 = 39;
export const COUNTER_DROP_NEIGHBOUR_UNRESOLVED: u32 = 40;
export const COUNTER_ARP_REQUESTS_SENT: u32 = 41;
export const COUNTER_ARP_REPLIES_SENT: u32 = 42;
export const COUNTER_ICMP_ECHO_REPLIES: u32 = 43;
export const COUNTER_ICMP_ERRORS_SENT: u32 = 44;
export const COUNTER_ICMP_RATE_LIMITED: u32 = 45;
export const COUNTER_IP_REASSEMBLED: u32 = 46;
export const COUNTER_IP_FRAGMENTS_SENT: u32 = 47;
export const COUNTER_TCP_SEGMENTS_RECEIVED: u32 = 48;
export const COUNTER_TCP_SEGMENTS_SENT: u32 = 49;
export const COUNTER_TCP_RETRANSMISSIONS: u32 = 50;
export const COUNTER_TCP_FAST_RETRANSMITS: u32 = 51;
export const COUNTER_TCP_TIMEOUTS: u32 = 52;
export const COUNTER_TCP_RESETS_SENT: u32 = 53;
export const COUNTER_TCP_RESETS_RECEIVED: u32 = 54;
export const COUNTER_TCP_OUT_OF_ORDER: u32 = 55;
export const COUNTER_TCP_CONNECTIONS_ACCEPTED: u32 = 56;
export const COUNTER_TCP_CONNECTIONS_OPENED: u32 = 57;
export const COUNTER_TCP_TIME_WAIT_RECYCLED: u32 = 58;
export const COUNTER_TCP_ZERO_WINDOW_PROBES: u32 = 59;
export const COUNTER_UDP_DATAGRAMS_RECEIVED: u32 = 60;
export const COUNTER_UDP_DATAGRAMS_SENT: u32 = 61;
export const COUNTER_TCP_CHALLENGE_ACKS: u32 = 62;
export const COUNTER_TCP_TAIL_PROBES: u32 = 63;
export const COUNTER_TCP_COOKIES_SENT: u32 = 72;
/** Connections that a cookie opened. */
export const COUNTER_TCP_COOKIES_RECEIVED: u32 = 73;
/** Acknowledgments of no cookie, or of one too old, while cookies were under way. */
export const COUNTER_TCP_COOKIES_FAILED: u32 = 74;
export const COUNTER_TCP_KEEP_ALIVE_PROBES: u32 = 75;
/** Timeouts, and recoveries altogether, that turned out to be for nothing and were taken back. */
export const COUNTER_TCP_SPURIOUS_TIMEOUTS: u32 = 76;
export const COUNTER_TCP_RECOVERIES_UNDONE: u32 = 77;
/** Connections on whose path segments overtake each other. */
export const COUNTER_TCP_REORDERING_SEEN: u32 = 78;
export const COUNTER_TCP_PATH_MTU_LOWERED: u32 = 84;
export const COUNTER_TCP_BLACK_HOLES: u32 = 85;
/** Connects whose data in the SYN were acknowledged, and were not, by the SYN-ACK. */
export const COUNTER_TCP_FAST_OPEN_ACTIVE: u32 = 79;
export const COUNTER_TCP_FAST_OPEN_ACTIVE_FAILED: u32 = 80;
/** Connections that a SYN with a valid cookie opened. */
export const COUNTER_TCP_FAST_OPEN_PASSIVE: u32 = 81;
/** SYNs with a wrong cookie, or at a listener with too many such requests. */
export const COUNTER_TCP_FAST_OPEN_PASSIVE_FAILED: u32 = 82;
export const COUNTER_TCP_FAST_OPEN_COOKIES_SENT: u32 = 83;
/** Segments with text in the window that a router has marked. */
export const COUNTER_TCP_CE_RECEIVED: u32 = 86;
/** Windows reduced because the peer echoed congestion. */
export const COUNTER_TCP_ECN_REDUCTIONS: u32 = 87;
/** SYNs that offered ECN, got no answer and went again without it. */
export const COUNTER_TCP_ECN_FALLBACKS: u32 = 88;
/** Times that a segment waited for its departure. */
export const COUNTER_TCP_PACED: u32 = 89;
export const COUNTER_COUNT: u32 = 96;

// Record sizes of the pools, needed to plan the memory before the module exists.
export const CONNECTION_SIZE: u32 = 576;
export const QUEUE_SIZE: u32 = 32;
// What observers read of a queue record (assembly/queue/queue.ts).
export const QUEUE_KIND: u32 = 0;
export const QUEUE_FLAGS: u32 = 1;
export const QUEUE_OBJECT: u32 = 8;
export const TOKEN_SIZE: u32 = 32;
export const DATAGRAM_SOCKET_SIZE: u32 = 64;
export const NEIGHBOUR_SIZE: u32 = 64;
export const REASSEMBLY_SIZE: u32 = 64;
export const WHEEL_LEVELS: u32 = 5;
export const WHEEL_SLOTS: u32 = 64;
