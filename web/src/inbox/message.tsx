// One email: its code and link to copy, and its HTML, text or source. HTML is shown only in a sandboxed frame without
// scripts or network access.

import type { ComponentChildren } from "preact";
import { useRef } from "preact/hooks";
import { copyText } from "../ui/copy";
import { linkIn, type Mail } from "./mails";

export type View = "HTML" | "Text" | "Source";

const VIEWS: View[] = ["HTML", "Text", "Source"];

interface Props {
  mail: Mail;
  view: View;
  onView: (view: View) => void;
  onCopied: (text: string) => void;
}

export function Message({ mail, view, onView, onCopied }: Props) {
  const link = linkIn(mail);
  return (
    <article class="message" aria-label={mail.subject}>
      <h2>{mail.subject}</h2>
      <p class="hint">
        To {mail.to} · <time dateTime={mail.at}>{new Date(mail.at).toLocaleString()}</time>
      </p>
      {mail.code && (
        <Copyable what="code" onCopied={onCopied}>
          <span class="digits">{mail.code}</span>
        </Copyable>
      )}
      {link && (
        <Copyable what="link" onCopied={onCopied}>
          <a href={link} target="_blank" rel="noopener noreferrer">{link}</a>
        </Copyable>
      )}
      <div class="actions views" role="group" aria-label="Show the email as">
        {VIEWS.map((each) => (
          <button type="button" class="button quiet small" aria-pressed={each === view} onClick={() => onView(each)} key={each}>
            <span>{each}</span>
          </button>
        ))}
      </div>
      {/* An empty `sandbox` list allows no scripts, forms or pop-ups, and gives the frame an opaque origin. */}
      {view === "HTML" && <iframe sandbox="" title={`HTML part of: ${mail.subject}`} srcdoc={mail.html} key={mail.id} />}
      {view === "Text" && <pre tabIndex={0}><Linked text={mail.text} /></pre>}
      {view === "Source" && <pre tabIndex={0}>{mail.html}</pre>}
    </article>
  );
}

interface CopyableProps {
  what: "code" | "link";
  onCopied: (text: string) => void;
  children: ComponentChildren;
}

/** Something with a button that copies it. */
function Copyable({ what, onCopied, children }: CopyableProps) {
  const shown = useRef<HTMLSpanElement>(null);
  const copy = async () => {
    const copied = shown.current && (await copyText(shown.current));
    onCopied(copied ? `Copied the ${what}.` : `The ${what} is selected. Press Ctrl+C or ⌘C to copy it.`);
  };
  return (
    <div class={`actions ${what}`}>
      <span ref={shown}>{children}</span>
      <button type="button" class="button secondary small" onClick={() => void copy()}>
        <span>Copy {what}</span>
      </button>
    </div>
  );
}

/** Plain text with its URLs as links. */
function Linked({ text }: { text: string }) {
  return (
    <>
      {text.split(/(https?:\/\/[^\s<>"]*[^\s<>".,;:!?)])/).map((piece, index) =>
        index % 2 === 0 ? piece : <a href={piece} target="_blank" rel="noopener noreferrer" key={index}>{piece}</a>,
      )}
    </>
  );
}
