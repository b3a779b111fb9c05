// The words of the components. The property `text` replaces some or all of them.

const time = (seconds: number) => `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;

export const english = {
  title: (brand: string) => `Sign in to ${brand}`,
  email: "Email address",
  password: "Password",
  newPassword: "New password",
  passwordHint: (minimum: number) => `At least ${minimum} characters.`,
  name: "Name (optional)",
  remember: "Stay signed in",
  signIn: "Sign in",
  sendCode: "Email me a code",
  usePassword: "Use a password",
  forgot: "Forgot your password?",
  newHere: "Create an account",
  back: "Back",
  registerTitle: "Create your account",
  register: "Create account",
  resetTitle: "Reset your password",
  resetLead: "We’ll email you a code. With it, you choose a new password.",
  setPassword: "Save and sign in",
  codeTitle: "Check your email",
  codeSent: (email: string) => `We emailed a code to ${email}.`,
  codeSentIfKnown: (email: string) => `If ${email} can sign in here, we emailed it a code.`,
  code: "Code from the email",
  resend: "Resend code",
  resendIn: (seconds: number) => `Resend in ${time(seconds)}`,
  attemptsLeft: (attempts: number) => (attempts === 1 ? "1 attempt left." : `${attempts} attempts left.`),
  retryIn: (seconds: number) => `Try again in ${time(seconds)}.`,
  unreachable: "Can’t reach the server. Check your connection and try again.",
  account: "Account",
  signOut: "Sign out",
  signOutEverywhere: "Sign out everywhere",
};

export type Text = typeof english;
