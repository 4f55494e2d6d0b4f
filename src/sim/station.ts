/** What a link joins. */

/** A host's device, a switch or a router: it takes frames from links. */
export interface Station {
  readonly name: string;
  /** Told of its port when a link is made; a station that sends on its own keeps it. */
  plug?(port: Port): void;
  /** Takes a frame, Ethernet header first, that came in through `port`. The array is its own now. */
  receive(frame: Uint8Array, port: Port): void;
}

/** Where a station is plugged into a link: it sends here. */
export interface Port {
  readonly station: Station;
  /** Hands a frame to the link. The array is the link's from now on. */
  send(frame: Uint8Array): void;
  /** Bytes that the link's queue of this direction holds now. */
  readonly queuedBytes: number;
}
