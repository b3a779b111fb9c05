// What the server writes into the page: settings that the pages need before the first request.

/** As in the schema. More may be added: ignore one that you don't know. */
type SignInMethod = "EMAIL_CODE" | "PASSWORD";
export type Role = "GUEST" | "USER" | "MANAGER" | "ADMIN";
type SignUpPolicy = "OPEN" | "CLOSED" | "DOMAINS";

/** What another application asks for, on the page of `/authorize`. */
export interface Asked {
  client: { name: string; logo: string | null };
  loginHint: string | null;
  /** Whether the user has to sign in again. */
  needsSignIn: boolean;
  /** The time of the server, in seconds. */
  at: number;
}

export interface Shell {
  brand: string;
  /** Whether this is a development server with an inbox. */
  inbox: boolean;
  /** Whether this server has the console for administrators. */
  console: boolean;
  methods: SignInMethod[];
  signUp: SignUpPolicy;
  codeLength: number;
  /** Minimum length of a password, or null if passwords are off. */
  passwordMin: number | null;
  /** The scopes of API keys, each with the lowest role of an owner. */
  scopes: { name: string; role: Role }[];
  /** The path of the operator's logo. */
  logo: string | null;
  supportUrl: string | null;
  termsUrl: string | null;
  privacyUrl: string | null;
  /** A problem means that nothing may be answered. */
  authorize?: Asked | { problem: "UNKNOWN" | "BUSY" } | null;
}

export const shell = JSON.parse(document.body.dataset.shell ?? "{}") as Shell;

/** What another application asks for; null on other pages. */
export const asked = (): Asked | null => (shell.authorize && "client" in shell.authorize ? shell.authorize : null);

/** Why the request of another application must not be answered; null if it can be. */
export const unanswerable = (): "UNKNOWN" | "BUSY" | null => (shell.authorize && "problem" in shell.authorize ? shell.authorize.problem : null);

export const passwordsOn = () => shell.methods.includes("PASSWORD");

const ranks: Role[] = ["GUEST", "USER", "MANAGER", "ADMIN"];

/** Whether a user with this role can open the console. */
export const usesConsole = (role: Role) => shell.console && ranks.indexOf(role) >= ranks.indexOf("MANAGER");

/** The scopes that API keys of a user with this role can use. */
export const scopesOf = (role: Role): string[] =>
  shell.scopes.filter((scope) => ranks.indexOf(scope.role) <= ranks.indexOf(role)).map(({ name }) => name);
