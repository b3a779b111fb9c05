// A form of the pages.

import type { ComponentChildren } from "preact";

interface Props {
  class?: string;
  onSubmit: () => void;
  children: ComponentChildren;
}

/** A form that a script sends. The browser shows no problems of its own: they stand at the fields. */
export function SubmitForm({ class: name, onSubmit, children }: Props) {
  return (
    <form
      noValidate
      class={name}
      onSubmit={(event) => {
        event.preventDefault();
        onSubmit();
      }}
    >
      {children}
    </form>
  );
}

/** Tells password managers whose password a form sets. Nobody sees it. */
export function PasswordOwner({ email }: { email: string }) {
  return (
    <input class="sr-only" type="email" name="email" autocomplete="username" readOnly tabIndex={-1} aria-hidden="true" value={email} />
  );
}
