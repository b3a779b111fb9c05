// An emailed code in progress. It survives a reload, because the code in hand works only together with its challenge.

import { call } from "../api/call";
import { RESEND_CODE, type ResendCode } from "../api/operations";

type ResendOutcome = ResendCode["resendCode"];
export type CodeSent = Extract<ResendOutcome, { __typename: "CodeSent" }>;

export interface Pending {
  purpose: "sign-in" | "register" | "reset";
  sent: CodeSent;
  remember: boolean;
  /** Whether a complete code was already submitted by itself. */
  tried: boolean;
}

const KEY = "doorcode.pending";
const LATEST = 30 * 60_000; // How long an expired code is still worth a sentence, in milliseconds.

// Sends the same request again once all codes have expired. It may hold a password, so it is never stored.
let again: (() => Promise<{ __typename: string } | CodeSent>) | null = null;

/** The code in progress, if there is one. */
export function load(): Pending | null {
  try {
    const pending = JSON.parse(sessionStorage.getItem(KEY) ?? "null") as Pending | null;
    if (typeof pending?.sent?.challenge !== "string") return null;
    return Date.parse(pending.sent.expiresAt) > Date.now() - LATEST ? pending : null;
  } catch {
    return null;
  }
}

/** Stores a code in progress. */
export function save(pending: Pending, request = again): void {
  again = request;
  try {
    sessionStorage.setItem(KEY, JSON.stringify(pending));
  } catch {
    // Without storage, a reload starts over.
  }
}

/** Forgets the code in progress. */
export function forget(): void {
  again = null;
  try {
    sessionStorage.removeItem(KEY);
  } catch {
    // Nothing is stored then.
  }
}

/** Emails another code. The earlier one stays valid, unless all have expired: then the same request starts over. */
export async function resend(pending: Pending): Promise<ResendOutcome> {
  const { resendCode } = await call(RESEND_CODE, { input: { challenge: pending.sent.challenge } });
  if (resendCode.__typename !== "CodeExpired" || !again) return resendCode;
  return (await again()) as ResendOutcome;
}
