/**
 * What a host may read of a connection record while the stack does not run: the states, the flags and
 * the places of fields. Plain numbers, compiled by asc and run by TypeScript; connection-layout.ts does
 * not compile when one of them drifts.
 */

// RFC 9293 section 3.3.2. The order matters: from ESTABLISHED on, a connection is synchronised.
export const CLOSED: u8 = 0;
export const LISTEN: u8 = 1;
export const SYN_SENT: u8 = 2;
export const SYN_RECEIVED: u8 = 3;
export const ESTABLISHED: u8 = 4;
export const FIN_WAIT_1: u8 = 5;
export const FIN_WAIT_2: u8 = 6;
export const CLOSE_WAIT: u8 = 7;
export const CLOSING: u8 = 8;
export const LAST_ACK: u8 = 9;
export const TIME_WAIT: u8 = 10;

/** Small segments leave at once: Nagle's algorithm is off and nothing else holds them (holding.ts). */
export const NO_DELAY: u16 = 1;
/** The application sends no more: a FIN follows the queued data. */
export const FIN_QUEUED: u16 = 2;
/** The peer's FIN has arrived in order. */
export const FIN_RECEIVED: u16 = 4;
/** An acknowledgement must leave with the next flush. */
export const ACK_NOW: u16 = 8;
/** On the ready list. */
export const READY: u16 = 16;
/** In fast recovery (RFC 6582). */
export const RECOVERY: u16 = 32;
/** No queue descriptor refers to the record any more. */
export const ORPHAN: u16 = 64;
/** `rttSequence` is being timed. */
export const RTT_TIMING: u16 = 128;
/** Opened by connect: a reset before it is established means refused (RFC 9293 3.10.7.4). */
export const ACTIVE: u16 = 256;
/** The timer probes a closed window instead of retransmitting. */
export const PERSIST: u16 = 512;
/** In the hash table. */
export const HASHED: u16 = 1024;
/** Holds a use count of its local port. */
export const PORT_TAKEN: u16 = 2048;
/** SYN or SYN-ACK was sent again: start with the loss window (RFC 6298 5.7, RFC 6928 2). */
export const SYN_REPEATED: u16 = 4096;
/** A partial acknowledgement has been seen in this recovery (RFC 6582 section 3.2, Impatient). */
export const PARTIAL_SEEN: u16 = 8192;
/** The peer's SYN had a window scale option, so ours has one too (RFC 7323 section 2.2). */
export const SCALING: u16 = 16384;
/** An idle connection is probed (RFC 9293 section 3.8.4). */
export const KEEP_ALIVE: u16 = 32768;

// What both SYNs offered, bits of `agreed`.
/** Every segment but a reset has a timestamp (RFC 7323 section 3.2). */
export const TIMESTAMPS: u8 = 1;
/** Acknowledgments may tell what was received beyond a gap (RFC 2018 section 2). */
export const SACK_PERMITTED: u8 = 2;
/** Explicit congestion notification (RFC 3168 section 6.1.1). */
export const ECN: u8 = 16;

/** Bit of `ecnState`: the window goes down because the peer has echoed congestion. */
export const ECN_REDUCING: u8 = 8;

// What the application or its manners have chosen, bits of `choices`.
/** Segments that are not full wait for more. */
export const CORKED: u16 = 1;
/** What waits leaves once, though the socket is corked. */
export const PUSHING: u16 = 2;
/** The application has shut the receiving direction down. */
export const READ_SHUT: u16 = 4;
/** Acknowledgments wait for data of ours to carry them. */
export const DELAYING: u16 = 8;
/** The latest push said that more follows: what is small waits while the output it caused goes on. */
export const MORE_COMES: u16 = 64;
/** The same until the next push: the last byte of the queue is not the end of anything. */
export const UNFINISHED: u16 = 128;
/** The application has said how large the buffer is. */
export const RECEIVE_FIXED: u16 = 16;
export const SEND_FIXED: u16 = 32;
/** What `deliveryRate` says is what the application or the peer's window allowed. */
export const RATE_LIMITED: u16 = 1024;
/** Nagle's algorithm is off; NO_DELAY says whether that counts just now (holding.ts). */
export const NAGLE_OFF: u16 = 256;
/** Segments leave evenly (pacing.ts). */
export const PACED: u16 = 512;
/** Pushes may have said that records end (record-end.ts). */
export const RECORDS: u16 = 2048;

// Fast Open (RFC 7413), bits of `fastOpen`.
/** Connect asks for a cookie, or waits for data that go in the SYN. */
export const FAST_CONNECT: u16 = 1;
/** No cookie is needed, by this socket's wish. */
export const FAST_NO_COOKIE: u16 = 2;
/** Connect has said that it is done; the SYN leaves with the first push. */
export const FAST_DEFERRED: u16 = 4;
/** The first SYN or SYN-ACK, which alone has the option or data, has not left yet. */
export const FAST_FIRST: u16 = 8;
/** Our SYN had a cookie or asked for one. */
export const FAST_ASKED: u16 = 16;
/** The option stands, or stood, in its experimental form. */
export const FAST_EXPERIMENTAL: u16 = 32;
/** All data that a SYN carried, ours or the peer's, have been acknowledged by the SYN-ACK. */
export const FAST_DATA_ACKNOWLEDGED: u16 = 64;
/** In the hands of the application before the peer has acknowledged our SYN-ACK. */
export const FAST_UNCONFIRMED: u16 = 128;
/** The SYN-ACK brings the peer a cookie. */
export const FAST_COOKIE: u16 = 256;
/** A router has refused the SYN with data, and it has gone again without. */
export const FAST_REFUSED: u16 = 512;

/** Delivery rates are counted in so many bytes a second. */
export const RATE_UNIT: u32 = 64;

// Bits of `undoState`.
/** CUBIC's curve ran when the window was last reduced. */
export const UNDO_CURVE: u8 = 1;
/** A recovery has begun that may turn out to be for nothing. */
export const UNDO_WATCHED: u8 = 2;
/** A timeout began it. */
export const UNDO_TIMEOUT: u8 = 4;
/** The echo of the first acknowledgment that moves SND.UNA is to tell (RFC 3522). */
export const UNDO_ECHO: u8 = 8;
/** F-RTO (RFC 5682): nothing has been acknowledged since the timeout; new data is to be sent; was. */
export const FRTO_WAITING: u8 = 16;
export const FRTO_SENDING: u8 = 32;
export const FRTO_SENT: u8 = 64;

// Offsets into the record, in bytes; connection.ts says what the fields mean.
export const CONNECTION_PORTS: u32 = 4;
export const CONNECTION_STATE: u32 = 12;
export const CONNECTION_DUPLICATE_ACKS: u32 = 175;
export const CONNECTION_FLAGS: u32 = 14;
export const CONNECTION_LOCAL: u32 = 28;
export const CONNECTION_REMOTE: u32 = 44;
export const CONNECTION_RECEIVE_NEXT: u32 = 48;
export const CONNECTION_RECEIVE_EDGE: u32 = 52;
export const CONNECTION_SEND_UNA: u32 = 56;
export const CONNECTION_SEND_NEXT: u32 = 60;
export const CONNECTION_SEND_MAX: u32 = 64;
export const CONNECTION_SEND_WINDOW: u32 = 68;
export const CONNECTION_CWND: u32 = 80;
export const CONNECTION_SSTHRESH: u32 = 84;
export const CONNECTION_MSS: u32 = 88;
export const CONNECTION_SEND_SCALE: u32 = 90;
export const CONNECTION_RECEIVE_SCALE: u32 = 91;
export const CONNECTION_SEND_HEAD: u32 = 104;
export const CONNECTION_SEND_END: u32 = 116;
export const CONNECTION_QUEUE: u32 = 120;
export const CONNECTION_RECEIVE_HEAD: u32 = 128;
export const CONNECTION_RECEIVE_QUEUED: u32 = 136;
export const CONNECTION_RECEIVE_BUFFER: u32 = 140;
export const CONNECTION_SEND_BUFFER: u32 = 144;
export const CONNECTION_REASSEMBLY_HEAD: u32 = 148;
export const CONNECTION_REASSEMBLY_COUNT: u32 = 320;
export const CONNECTION_SRTT: u32 = 152;
export const CONNECTION_RTTVAR: u32 = 156;
export const CONNECTION_RTO: u32 = 160;
export const CONNECTION_RECOVER: u32 = 268;
export const CONNECTION_BACKOFF: u32 = 224;
export const CONNECTION_RETRIES: u32 = 225;
export const CONNECTION_ACK_BYTES: u32 = 226;
export const CONNECTION_LISTENER: u32 = 324;
export const CONNECTION_INITIAL_SEND: u32 = 332;
export const CONNECTION_INITIAL_RECEIVE: u32 = 336;
export const CONNECTION_WINDOW_MAX: u32 = 260;
export const CONNECTION_ERROR: u32 = 316;
export const CONNECTION_BACKLOG: u32 = 318;
export const CONNECTION_HALF_OPEN: u32 = 344;
export const CONNECTION_ACCEPTABLE: u32 = 346;
/** Where a listener counts connections, a connection counts what it has sent again. */
export const CONNECTION_RETRANSMISSIONS: u32 = CONNECTION_HALF_OPEN;
export const CONNECTION_AGREED: u32 = 172;
export const CONNECTION_SACKED_BYTES: u32 = 176;
export const CONNECTION_CHOICES: u32 = 180;
export const CONNECTION_MSS_MAX: u32 = 402;
export const CONNECTION_UNSENT_MAX: u32 = 264;
export const CONNECTION_SEND_WRAPS: u32 = 289;
export const CONNECTION_RECEIVE_WRAPS: u32 = 290;
export const CONNECTION_MIN_RTT: u32 = 318;
export const CONNECTION_DELIVERY_RATE: u32 = 294;
export const CONNECTION_LAST_SENT_TICK: u32 = 248;
export const CONNECTION_HEARD_TICK: u32 = 184;
export const CONNECTION_RECEIVED_TICK: u32 = 188;
export const CONNECTION_UNDO_STATE: u32 = 174;
export const CONNECTION_FAST_OPEN: u32 = 394;
export const CONNECTION_FAST_OPEN_BYTES: u32 = 400;
export const CONNECTION_LOST_BYTES: u32 = 504;
export const CONNECTION_ECN_STATE: u32 = 291;
/** Bytes of the two timers' records: whether they are armed, and at which tick they expire. */
export const CONNECTION_TIMER_DEADLINE: u32 = 200;
export const CONNECTION_TIMER_ARMED: u32 = 205;
export const CONNECTION_ACK_TIMER_DEADLINE: u32 = 216;
export const CONNECTION_ACK_TIMER_ARMED: u32 = 221;
