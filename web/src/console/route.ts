// The address of a view of the console. It is in the fragment, which browsers send to no server: what an administrator
// searches for stays out of every log.

import { signal } from "../ui/signal";

export const sections = ["overview", "people", "audit"] as const;
export type Section = (typeof sections)[number];

export interface Route {
  section: Section;
  /** The id of a user, in the section `people`. */
  id: string;
  query: URLSearchParams;
  /** Counts the times that a link was followed, also one to the same view. */
  visit: number;
}

let visits = 0;

function read(): Route {
  const [path = "", query = ""] = location.hash.slice(1).split("?");
  const [name = "", id = ""] = path.split("/");
  const section = sections.find((each) => each === name) ?? "overview";
  return { section, id, query: new URLSearchParams(query), visit: visits };
}

const current = signal(read());

addEventListener("hashchange", () => {
  visits += 1;
  current.set(read());
});

/** The route of the page, in a component that renders again when it changes. */
export const useRoute = (): Route => current.use();

/** The query at this moment. A component may have rendered with an older one. */
export const currentQuery = (): URLSearchParams => current.get().query;

/** The link to a view. Empty values are left out. */
export function link(section: Section, id = "", query: Record<string, string> = {}): string {
  const given = Object.entries(query).filter(([, value]) => value !== "");
  const text = given.length > 0 ? `?${new URLSearchParams(given)}` : "";
  return `#${section}${id && `/${id}`}${text}`;
}

/** Changes the query of the view. It gets an entry of its own in the history if `isStep`. */
export function search(query: Record<string, string>, isStep = false): void {
  const { section, id } = current.get();
  const target = location.pathname + link(section, id, query);
  if (isStep) history.pushState(null, "", target);
  else history.replaceState(null, "", target);
  current.set(read());
}
