// Buttons. A busy or waiting button stays focusable, so that it does not lose the focus, and ignores clicks.

import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { serverNow } from "../api/call";
import { span, text } from "../i18n";
import { speak } from "./announce";

interface Props {
  children: ComponentChildren;
  kind?: "primary" | "secondary" | "quiet" | "danger";
  type?: "button" | "submit";
  wide?: boolean;
  small?: boolean;
  busy?: boolean;
  /** Whether another action has to end first. */
  disabled?: boolean;
  /** Time in milliseconds until which the button waits. `label` names it then. */
  until?: number;
  label?: string;
  /** The text of a waiting button, if `label` in a few words is not enough. */
  waiting?: (time: string) => string;
  describedBy?: string;
  ariaLabel?: string;
  autofocus?: boolean;
  onClick?: () => void;
}

/** Milliseconds until a moment of the server's clock, updated every second. */
export function useCountdown(until: number): number {
  const [left, setLeft] = useState(() => until - serverNow());
  useEffect(() => {
    const tick = () => setLeft(until - serverNow());
    tick();
    if (until <= serverNow()) return undefined;
    const timer = setInterval(tick, 500);
    return () => clearInterval(timer);
  }, [until]);
  return Math.max(0, left);
}

export function Button({ kind = "primary", type = "button", until = 0, ...props }: Props) {
  const left = useCountdown(until);
  const waits = left > 0;
  const waited = useRef(false);
  const element = useRef<HTMLButtonElement>(null);
  const label = props.label ?? "";

  // The countdown is not a live region, because screen readers would speak every second. Only its end is.
  useEffect(() => {
    if (waited.current && !waits && label) speak(text().available(label));
    waited.current = waits;
  }, [waits]);
  useEffect(() => {
    if (props.autofocus) element.current?.focus();
  }, []);

  const idle = props.busy || props.disabled || waits;
  const countdown = () => (props.waiting ? props.waiting(span(left)) : text().waiting(label, span(left)));
  return (
    <button
      ref={element}
      type={type}
      class={`button ${kind}${props.wide ? " wide" : ""}${props.small ? " small" : ""}`}
      aria-disabled={idle ? "true" : undefined}
      aria-busy={props.busy ? "true" : undefined}
      aria-describedby={props.describedBy}
      aria-label={props.ariaLabel}
      onClick={(event) => {
        if (idle) event.preventDefault();
        else props.onClick?.();
      }}
    >
      <span>{waits ? countdown() : props.children}</span>
    </button>
  );
}

/** A button that looks like a link. */
export function LinkButton({ children, onClick, class: extra = "" }: { children: ComponentChildren; onClick: () => void; class?: string }) {
  return (
    <button type="button" class={`link ${extra}`} onClick={onClick}>
      {children}
    </button>
  );
}
