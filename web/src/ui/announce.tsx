// Status messages: a visible line, and a line that only screen readers get. Both live regions are always in the page,
// because screen readers ignore a region that appears together with its text.

import { signal } from "./signal";

const visible = signal("");
const spoken = signal("");
let later = 0;

/** Shows a status message, and removes the previous one. */
export function notify(message: string): void {
  visible.set(message);
}

/** Tells screen readers something that others see anyway. A repeated message is spoken again. */
export function speak(message: string): void {
  clearTimeout(later);
  spoken.set("");
  later = setTimeout(() => spoken.set(message), 50);
}

export function Status() {
  const message = visible.use();
  return (
    <div class="status" role="status">
      {message && <p class="notice">{message}</p>}
    </div>
  );
}

export function Spoken() {
  return (
    <p class="sr-only" role="status">
      {spoken.use()}
    </p>
  );
}
