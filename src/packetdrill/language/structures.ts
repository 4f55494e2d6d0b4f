/** The structures that a call's arguments may hold, told apart by their members' names. */
import type { StructureType } from "./script";

/** Longer lists of a kind first: `events` alone is a pollfd's and an epoll_event's. */
const members: readonly (readonly [StructureType, readonly string[]])[] = [
  [
    "sockaddr",
    ["sa_family", "sin_family", "sin_port", "sin_addr", "sin6_family", "sin6_port", "sin6_addr"],
  ],
  ["sockaddr", ["sin6_flowinfo", "sin6_scope_id", "sun_path"]],
  ["linger", ["onoff", "linger", "l_onoff", "l_linger"]],
  ["iovec", ["iov_base", "iov_len"]],
  ["msghdr", ["msg_name", "msg_iov", "msg_flags", "msg_control"]],
  ["cmsghdr", ["cmsg_level", "cmsg_type", "cmsg_data"]],
  ["scm_timestamping", ["scm_sec", "scm_nsec"]],
  ["sock_extended_err", ["ee_errno", "ee_origin", "ee_type", "ee_code", "ee_info", "ee_data"]],
  ["epoll_event", ["ptr", "u32", "u64"]],
  ["pollfd", ["fd", "events", "revents"]],
];

/** Every member's name. */
export const memberNames: ReadonlySet<string> = new Set(members.flatMap(([, names]) => names));

/**
 * The structure with members of these names in this order, undefined for members told by place.
 * `{fd=4, events=POLLIN}` is a pollfd, `{events=EPOLLIN, fd=4}` an epoll_event: there the script's
 * order is the only difference.
 */
export function structureType(names: readonly (string | undefined)[]): StructureType {
  if (names.length === 2 && names[0] === undefined && names[1] === undefined) return "iovec";
  if (names[0] === "events") return "epoll_event";
  for (const [type, known] of members) {
    if (names.some((name) => name !== undefined && known.includes(name))) return type;
  }
  return "unknown";
}
