// The kinds of audit events in groups, by what an administrator looks for.

import type { AuditKind } from "../api/operations";
import { text } from "../i18n";
import { words } from "./words";

export const groups = {
  signIns: ["SIGNED_IN", "SIGNED_UP", "CLIENT_SIGNED_IN", "CLIENT_APPROVED", "TEST_CODE_USED"],
  failures: [
    "WRONG_CODE", "WRONG_PASSWORD", "EXPIRED_CODE", "REFRESH_TOKEN_REUSED", "AUTHORIZATION_CODE_REFUSED",
    "AUTHORIZATION_CODE_REUSED",
  ],
  refusals: ["LIMIT_REFUSED", "PERMISSION_DENIED"],
  requests: ["CODE_REQUESTED", "LINK_REQUESTED", "REGISTRATION_REQUESTED", "PASSWORD_RESET_REQUESTED", "EMAIL_CHANGE_REQUESTED"],
  sessions: ["SIGNED_OUT", "SESSION_ENDED", "SESSION_DISOWNED", "DEVICE_FORGOTTEN"],
  accounts: [
    "PROFILE_CHANGED", "EMAIL_CHANGED", "EMAIL_CHANGE_UNDONE", "PASSWORD_SET", "PASSWORD_RESET", "PASSWORD_REMOVED",
    "API_KEY_CREATED", "API_KEY_ROTATED", "API_KEY_REVOKED", "DATA_EXPORTED",
  ],
  administration: [
    "USER_CREATED", "USER_CHANGED", "USER_DELETED", "USER_RESTORED", "USER_ERASED", "PASSWORD_RESET_SENT", "KEY_ROTATED",
    "CLIENT_ADDED", "CLIENT_REMOVED", "PEOPLE_IMPORTED", "PEOPLE_EXPORTED",
  ],
} as const satisfies Record<string, readonly AuditKind[]>;

export type Group = keyof typeof groups;
export const groupNames = Object.keys(groups) as Group[];

// Does not compile while a kind belongs to no group.
type Missing = Exclude<AuditKind, (typeof groups)[Group][number]>;
const missing: [Missing] extends [never] ? null : Missing = null;
void missing;

/** The group of a kind. A later server may have kinds that belong to none. */
export const groupOf = (kind: AuditKind): Group | undefined =>
  groupNames.find((group) => (groups[group] as readonly AuditKind[]).includes(kind));

/** What to call a kind. */
export const kindName = (kind: AuditKind): string => words().kinds[kind] ?? text().activity[kind] ?? kind;
