// What an action did, with a button that undoes it. It may be for the view that opens next.

import { useEffect, useRef } from "preact/hooks";
import { notify, Status } from "../ui/announce";
import { signal } from "../ui/signal";
import { words } from "./words";

interface Notice {
  text: string;
  undo?: () => void;
}

const shown = signal<Notice | null>(null);
let isForNextView = false;

export function showNotice(text: string, undo?: () => void): void {
  isForNextView = false;
  shown.set(undo ? { text, undo } : { text });
}

/** Shows a notice in the view that opens next. */
export function leaveNotice(text: string): void {
  shown.set({ text });
  isForNextView = true;
}

/** Removes what is shown when another view opens. */
export function clearNotices(): void {
  notify("");
  if (!isForNextView) shown.set(null);
  isForNextView = false;
}

export function Notices() {
  const notice = shown.use();
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    if (notice?.undo) button.current?.focus();
  }, [notice]);
  return (
    <>
      <Status />
      <div class="status" role="status">
        {notice && (
          <p class="notice good with-undo">
            {notice.text}
            {notice.undo && (
              <button ref={button} type="button" class="link" onClick={notice.undo}>
                {words().undo}
              </button>
            )}
          </p>
        )}
      </div>
    </>
  );
}
