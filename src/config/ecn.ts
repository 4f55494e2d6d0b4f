/**
 * Explicit congestion notification (RFC 3168). `on`: SYNs offer it. `passive`: only peers' offers are
 * agreed to, so that no path can hold up our SYNs for it.
 */
export const ecnModes = ["passive", "on", "off"] as const;

export type EcnMode = (typeof ecnModes)[number];
