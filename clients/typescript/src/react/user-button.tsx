import { useEffect, useId, useRef, useState } from "react";
import { useDoorcode, useSession } from "./provider.js";
import { useStyle } from "./style.js";
import { english, type Text } from "./text.js";

export interface UserButtonProps {
  /** Runs after a sign-out. */
  onSignedOut?: () => void;
  /** Replaces words, for example by those of another language. */
  text?: Partial<Text>;
}

const initialsOf = (name: string) =>
  name
    .split(/[\s@._-]+/)
    .slice(0, 2)
    .map((word) => [...word][0]?.toUpperCase())
    .join("");

/** The user's initials, with a menu to sign out. Nothing if no user is signed in. */
export function UserButton({ onSignedOut, text }: UserButtonProps) {
  useStyle();
  const t = { ...english, ...text };
  const client = useDoorcode();
  const session = useSession();
  const [isOpen, setOpen] = useState(false);
  const [error, setError] = useState("");
  const root = useRef<HTMLSpanElement>(null);
  const menu = useId();

  useEffect(() => {
    if (!isOpen) return undefined;
    const close = (event: Event) => {
      if (event instanceof KeyboardEvent ? event.key !== "Escape" : root.current?.contains(event.target as Node)) return;
      setOpen(false);
      if (event instanceof KeyboardEvent) root.current?.querySelector("button")?.focus();
    };
    for (const name of ["keydown", "pointerdown"]) document.addEventListener(name, close);
    return () => ["keydown", "pointerdown"].forEach((name) => document.removeEventListener(name, close));
  }, [isOpen]);

  if (!session) return null;
  const { name, email } = session.user;

  async function signOut(everywhere: boolean): Promise<void> {
    setError("");
    try {
      await client.signOut({ everywhere });
    } catch {
      // This browser is signed out even if the server could not be reached, unless all sessions were to end.
      if (client.session()) return setError(t.unreachable);
    }
    onSignedOut?.();
  }

  // Only phrasing content, so that the button can stand in a paragraph.
  return (
    <span className="doorcode doorcode-user" ref={root}>
      <button
        type="button"
        aria-expanded={isOpen}
        aria-controls={menu}
        onClick={() => setOpen(!isOpen)}
      >
        {initialsOf(name ?? email.split("@")[0]!)}{" "}
        <span className="doorcode-spoken">
          {t.account}: {name ?? email}
        </span>
      </button>
      {isOpen && (
        <span className="doorcode-menu" id={menu}>
          {name && <strong>{name}</strong>}
          <span className="doorcode-hint">{email}</span>
          <button type="button" onClick={() => void signOut(false)}>
            {t.signOut}
          </button>
          <button type="button" onClick={() => void signOut(true)}>
            {t.signOutEverywhere}
          </button>
          <span role="alert" className="doorcode-error">
            {error}
          </span>
        </span>
      )}
    </span>
  );
}
