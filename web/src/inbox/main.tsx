// The development inbox: polls for new emails every two seconds and shows them. HTML is shown only in a sandboxed frame
// without scripts or network access. In English only, because developers read it.

import { render } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { ApiError, call } from "../api/call";
import { INBOX, INBOX_IDS, type Inbox } from "../api/operations";
import { start } from "../i18n";
import { shell } from "../shell";

type Mail = Inbox["inbox"][number];

const EVERY = 2000;

/** The emails of this server, newest first, and why they can't be read. */
function useMails(): { mails: Mail[]; problem: string } {
  const [mails, setMails] = useState<Mail[]>([]);
  const [problem, setProblem] = useState("");
  useEffect(() => {
    let timer = 0;
    let over = false;
    let known = "";
    const ids = (list: { id: string }[]) => list.map(({ id }) => id).join();
    // Fetches the ids first, because the list rarely changes.
    const look = async () => {
      try {
        if (ids((await call(INBOX_IDS, {})).inbox) !== known) {
          const { inbox } = await call(INBOX, {});
          known = ids(inbox);
          if (!over) setMails(inbox);
        }
        setProblem("");
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        setProblem(error.message);
      }
      if (!over) timer = setTimeout(look, EVERY);
    };
    void look();
    return () => {
      over = true;
      clearTimeout(timer);
    };
  }, []);
  return { mails, problem };
}

function InboxPage() {
  const { mails, problem } = useMails();
  const [filter, setFilter] = useState("");
  const [copied, setCopied] = useState("");
  const wanted = filter.trim().toLowerCase();
  const shown = mails.filter(({ to }) => to.toLowerCase().includes(wanted));
  const count = shown.length === 0 ? "No emails." : `${shown.length} ${shown.length === 1 ? "email" : "emails"}.`;
  return (
    <main class="inbox">
      <div class="bar">
        <h1>Inbox</h1>
        <a href="/">Sign-in page</a>
      </div>
      <p class="hint">{shell.brand}, development server. Emails are kept in memory and never sent. Newest first.</p>
      <div class="field">
        <label for="filter">Filter by recipient</label>
        <input
          id="filter"
          class="input"
          type="search"
          inputMode="email"
          autocomplete="off"
          autocapitalize="none"
          spellcheck={false}
          placeholder="Part of an address"
          maxLength={254}
          value={filter}
          onInput={(event) => setFilter(event.currentTarget.value)}
        />
      </div>
      <p class="hint" id="count">
        {count}
      </p>
      <p class="error" id="status" role="status">
        {problem || copied}
      </p>
      <ol class="messages">
        {shown.map((mail) => (
          <Message mail={mail} onCopied={setCopied} key={mail.id} />
        ))}
      </ol>
    </main>
  );
}

function Message({ mail, onCopied }: { mail: Mail; onCopied: (text: string) => void }) {
  const digits = useRef<HTMLSpanElement>(null);
  const [opened, setOpened] = useState(false);
  const { code } = mail;
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(code ?? "");
      onCopied(`Copied ${code}.`);
    } catch {
      // The clipboard needs HTTPS and a permission. Without them, select the text for the user to copy.
      if (digits.current) getSelection()?.selectAllChildren(digits.current);
      onCopied("The code is selected. Press Ctrl+C or ⌘C to copy it.");
    }
  };
  return (
    <li>
      <h2>{mail.subject}</h2>
      <p class="hint">
        To {mail.to} · <time dateTime={mail.at}>{new Date(mail.at).toLocaleString()}</time>
      </p>
      {code && (
        <div class="actions">
          <span class="digits" ref={digits}>
            {code}
          </span>
          <button type="button" class="button secondary small" aria-label={`Copy the code for ${mail.to}`} onClick={() => void copy()}>
            <span>Copy</span>
          </button>
        </div>
      )}
      {/* An email without a code has a sign-in link, so show its text. */}
      <details class="text" open={!code}>
        <summary>Text</summary>
        <pre>
          <Linked text={mail.text} />
        </pre>
      </details>
      <details class="html" onToggle={() => setOpened(true)}>
        <summary>HTML</summary>
        {/* An empty `sandbox` list allows no scripts, forms or pop-ups, and gives the frame an opaque origin. */}
        {opened && <iframe sandbox="" title={`HTML part of: ${mail.subject}`} srcdoc={mail.html} />}
      </details>
    </li>
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

const place = document.getElementById("app");
if (place) void start("en").then(() => render(<InboxPage />, place));
