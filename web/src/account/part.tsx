// A section of the account, and a row in it that opens into a form.

import type { ComponentChildren } from "preact";
import { useRef, useState } from "preact/hooks";
import { useForm, type Form, type Problem } from "../ui/form";
import { notify } from "../ui/announce";
import { NotConfirmed } from "./context";

export function Part({ title, hint, action, children }: { title?: string; hint?: string; action?: ComponentChildren; children: ComponentChildren }) {
  return (
    <section class="part">
      <div class="part-head">
        <div>
          {title && <h2>{title}</h2>}
          {hint && <p class="hint">{hint}</p>}
        </div>
        {action}
      </div>
      {children}
    </section>
  );
}

/** Runs actions of the account like a form, and treats an unconfirmed action as none. */
export function useAction(main?: string): Form & { act(work: () => Promise<Problem | void>): void } {
  const form = useForm(main);
  return {
    ...form,
    act: (work) =>
      form.run(async () => {
        try {
          return await work();
        } catch (error) {
          if (error instanceof NotConfirmed) return undefined;
          throw error;
        }
      }),
  };
}

interface RowProps {
  title: string;
  value: ComponentChildren;
  /** The text of the button that opens the form. Without it, the row can't be changed. */
  open: string | null;
  initiallyOpen?: boolean;
  /** Whether the value is long, so that in a narrow window the button stands below it. */
  long?: boolean;
  children: (close: (notice: string) => void) => ComponentChildren;
}

/** A fact with a button that opens its form in place. Closing returns the focus to the button. */
export function Row({ title, value, open, initiallyOpen = false, long, children }: RowProps) {
  const [isOpen, setOpen] = useState(initiallyOpen);
  const button = useRef<HTMLButtonElement>(null);
  const close = (notice: string) => {
    setOpen(false);
    notify(notice);
    setTimeout(() => button.current?.focus());
  };
  return (
    <section class={long ? "part" : "part row-part"}>
      <div class="part-head">
        <div>
          <h2>{title}</h2>
          <p class="value">{value}</p>
        </div>
        {open && (
          <button
            ref={button}
            type="button"
            class="button secondary small"
            aria-expanded={isOpen}
            aria-label={`${open}: ${title}`}
            onClick={() => setOpen(!isOpen)}
          >
            <span>{open}</span>
          </button>
        )}
      </div>
      {isOpen && children(close)}
    </section>
  );
}
