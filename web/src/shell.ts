// What the server writes into the page: settings that the pages need before the first request.

/** As in the schema. More may be added: ignore one that you don't know. */
type SignInMethod = "EMAIL_CODE" | "PASSWORD";
type SignUpPolicy = "OPEN" | "CLOSED" | "DOMAINS";

export interface Shell {
  brand: string;
  /** Whether this is a development server with an inbox. */
  inbox: boolean;
  methods: SignInMethod[];
  signUp: SignUpPolicy;
  codeLength: number;
  /** Minimum length of a password, or null if passwords are off. */
  passwordMin: number | null;
  logo?: string | null;
  supportUrl?: string | null;
  termsUrl?: string | null;
  privacyUrl?: string | null;
}

export const shell = JSON.parse(document.body.dataset.shell ?? "{}") as Shell;

export const passwordsOn = () => shell.methods.includes("PASSWORD");
