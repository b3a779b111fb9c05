// Which form or page is shown, and at which address.

import { useRef, useState } from "preact/hooks";
import { lastSignIn } from "./session/devices";
import * as session from "./session/session";
import { asked, passwordsOn, shell, unanswerable } from "./shell";
import type { Draft, View } from "./sign-in/context";
import * as pending from "./sign-in/pending";
import { notify } from "./ui/announce";

const paths: Partial<Record<View["name"], string>> = { register: "/register", forgot: "/reset", account: "/account" };
const byPath: Record<string, View["name"]> = { "/register": "register", "/reset": "forgot" };

/** Takes a link of an email from the address bar at once, to keep its token out of the history and screenshots. */
export function takeLink(): View | null {
  const [, kind, token] = /^#(link|undo|disown)=(.+)$/.exec(location.hash) ?? [];
  if (!kind || !token) return null;
  history.replaceState(null, "", location.pathname + location.search);
  return { name: kind as "link" | "undo" | "disown", token };
}

/** Whether a password manager sent the user here. */
export function takeChangePassword(): boolean {
  if (location.hash !== "#change-password") return false;
  history.replaceState(null, "", location.pathname + location.search);
  return passwordsOn();
}

/** Whether the console sent the user here to sign in. */
export const cameFromConsole = (): boolean => shell.console && new URLSearchParams(location.search).get("to") === "console";

export function freshDraft(): Draft {
  const last = lastSignIn();
  const usesPassword = last ? last.password : shell.methods[0] === "PASSWORD";
  const email = asked()?.loginHint ?? (last?.password ? last.email : "");
  return { email, password: "", newPassword: "", name: "", remember: true, usesPassword };
}

/** The first form at this address, or the code in progress. */
export function firstForm(): View {
  if (unanswerable()) return { name: "unanswerable" };
  const waiting = pending.load();
  if (waiting) return { name: "code", pending: waiting };
  const named = byPath[location.pathname];
  if (!named || !passwordsOn() || (named === "register" && shell.signUp === "CLOSED")) return { name: "start" };
  return { name: named as "register" | "forgot" };
}

export interface Navigation {
  view: View;
  /** The view of the latest render, for callbacks. */
  shown: { current: View };
  /** Counts changes of the view, so that a late answer replaces nothing. */
  turn: { current: number };
  /** Shows a view at its address. */
  go(next: View, notice?: string): void;
  /** Shows that the page waits for the server, or why it can't continue. */
  wait(problem?: string): void;
}

function firstView(): View {
  const form = firstForm();
  return takeLink() ?? (session.exists() && form.name !== "unanswerable" ? { name: "wait" } : form);
}

export function useNavigation(): Navigation {
  const [view, setView] = useState<View>(firstView);
  const shown = useRef(view);
  const turn = useRef(0);
  shown.current = view;
  return {
    view,
    shown,
    turn,
    go(next, notice = "") {
      turn.current += 1;
      if (next.name !== "code") pending.forget();
      const leavesForm = next.name === "start" && ["/register", "/reset"].includes(location.pathname);
      // The request of an application is in the address, so all forms stay there.
      const path = (!asked() && paths[next.name]) || (leavesForm ? "/sign-in" : location.pathname);
      const query = next.name === "account" ? "" : location.search;
      if (path !== location.pathname) history.pushState(null, "", path + query);
      setView(next);
      notify(notice);
    },
    wait: (problem) => setView(problem === undefined ? { name: "wait" } : { name: "wait", problem }),
  };
}
