// The development inbox: the list of emails, newest first, and the one that is open. In English only, because
// developers read it.

import { render } from "preact";
import { useState } from "preact/hooks";
import { start } from "../i18n";
import { shell } from "../shell";
import { useMails } from "./mails";
import { Message, type View } from "./message";

function InboxPage() {
  const { mails, problem } = useMails();
  const [filter, setFilter] = useState("");
  const [copied, setCopied] = useState("");
  // Until the user picks an email, the newest one is open.
  const [picked, setPicked] = useState<string | null>(null);
  const [view, setView] = useState<View>("HTML");
  const wanted = filter.trim().toLowerCase();
  const shown = mails.filter(({ to }) => to.toLowerCase().includes(wanted));
  const open = shown.find(({ id }) => id === picked) ?? shown[0];
  const count = shown.length === 0 ? "No emails." : `${shown.length} ${shown.length === 1 ? "email" : "emails"}.`;
  const pick = (id: string) => {
    setPicked(id);
    setCopied("");
  };
  return (
    <main class="inbox">
      <div class="bar">
        <h1>Inbox</h1>
        <a href="/">Sign-in page</a>
      </div>
      <p class="hint">{shell.brand}, development server. Emails are kept in memory and never sent. New ones appear by themselves.</p>
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
      <p class="hint" id="count" role="status">
        {count}
      </p>
      <p class="error" id="status" role="status">
        {problem || copied}
      </p>
      <div class="mails">
        <ol class="list" aria-label="Emails, newest first">
          {shown.map(({ id, subject, to, at }) => (
            <li key={id}>
              <button type="button" aria-current={id === open?.id} onClick={() => pick(id)}>
                <strong>{subject}</strong>
                <span class="hint">{to} · <time dateTime={at}>{new Date(at).toLocaleTimeString()}</time></span>
              </button>
            </li>
          ))}
        </ol>
        {open && <Message mail={open} view={view} onView={setView} onCopied={setCopied} />}
      </div>
    </main>
  );
}

const place = document.getElementById("app");
if (place) void start("en").then(() => render(<InboxPage />, place));
