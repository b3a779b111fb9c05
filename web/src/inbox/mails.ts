// The emails of a development server. Asks for new ones every second, because the API has no subscription for them.

import { useEffect, useState } from "preact/hooks";
import { ApiError, call } from "../api/call";
import { INBOX, INBOX_IDS, type Inbox } from "../api/operations";

export type Mail = Inbox["inbox"][number];

const EVERY = 1000;

/** The emails of this server, newest first, and why they can't be read. */
export function useMails(): { mails: Mail[]; problem: string } {
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

/** The link that the email asks to open: the only one that carries a token. */
export const linkIn = ({ text }: Mail): string | null => /https?:\/\/[^\s<>"]+#[\w-]+=[\w-]+/.exec(text)?.[0] ?? null;
