// Written by codegen.mjs from operations.graphql and schema.graphql. Do not edit.

/** The text of an operation, with the types of its data and its variables. */
export type Operation<Data, Variables> = string & { readonly __apiType?: (variables: Variables) => Data };

/** The role of a user. From lowest to highest: GUEST, USER, MANAGER, ADMIN. Each role includes the permissions of the lower ones. */
export type Role =
  | "ADMIN"
  | "MANAGER"
  | "USER"
  | "GUEST"
  | (string & {});

/** The kind of a problem. More members will be added: show the `message` of one that you don't know. */
export type ProblemCode =
  | "INVALID_EMAIL"
  | "INVALID_CODE"
  | "CODE_EXPIRED"
  | "SESSION_ENDED"
  | "RATE_LIMITED"
  | "EMAIL_TAKEN"
  | "LAST_ADMIN"
  | "INVALID_CREDENTIALS"
  | "WEAK_PASSWORD"
  | (string & {});

/** Input of `login`. */
export interface LoginInput {
  /** The email address of the user. */
  email: string;
  /** The password. Without one, a code is sent by email. */
  password?: string | null;
  /** Whether the user stays signed in. If not, the session ends a day after it began. */
  remember?: boolean;
  /** The `challenge` of an earlier `CodeSent`, to send another email for the same sign-in. The earlier code stays valid. */
  challenge?: string | null;
  /** The `deviceToken` of the latest `SignedIn` for this address on this device. It gives the device its own rate limits. */
  deviceToken?: string | null;
  /** The language of the email, such as `de` or `fr-CA`. Default: the language of the account, then the first language of `Accept-Language` that is en, de, fr, es or ja, then English. */
  locale?: string | null;
}

/** Why a password does not meet the policy. */
export type WeakPasswordReason =
  | "TOO_SHORT"
  | "TOO_LONG"
  | "COMMON"
  | "BREACHED"
  | "CONTAINS_IDENTITY"
  | (string & {});

/** Input of `register`. */
export interface RegisterInput {
  /** The email address of the new user. */
  email: string;
  /** The password of the new user. `signInOptions.passwordPolicy` has the length; spaces count. */
  password: string;
  /** The display name: one line of at most 100 characters. */
  name?: string | null;
  /** Whether the user stays signed in. If not, the session ends a day after it began. */
  remember?: boolean;
  /** The `deviceToken` of the latest `SignedIn` for this address on this device. */
  deviceToken?: string | null;
  /** The language of the email, such as `de` or `fr-CA` (default: as for `login`). */
  locale?: string | null;
}

/** Input of `requestPasswordReset`. */
export interface RequestPasswordResetInput {
  /** The email address of the account. */
  email: string;
  /** The `deviceToken` of the latest `SignedIn` for this address on this device. */
  deviceToken?: string | null;
  /** The language of the email, such as `de` or `fr-CA` (default: as for `login`). */
  locale?: string | null;
}

/** Input of `resendCode`. */
export interface ResendCodeInput {
  /** The `challenge` from `CodeSent`. */
  challenge: string;
}

/** Input of `verify`. */
export interface VerifyInput {
  /** The `challenge` from `CodeSent`. */
  challenge: string;
  /** The code from the email. Spaces and dashes are ignored. */
  code: string;
}

/** Input of `verifyLink`. */
export interface VerifyLinkInput {
  /** The text after `#link=` in the URL of the link. */
  token: string;
}

/** Input of `resetPassword`. */
export interface ResetPasswordInput {
  /** The `challenge` from `CodeSent`, which `requestPasswordReset` returned. */
  challenge: string;
  /** The code from the email. Spaces and dashes are ignored. */
  code: string;
  /** The new password. `signInOptions.passwordPolicy` has the length; spaces count. */
  newPassword: string;
  /** Whether the user stays signed in. If not, the session ends a day after it began. */
  remember?: boolean;
}

/** Input of `refresh`. */
export interface RefreshInput {
  /** The newest refresh token of the session. */
  refreshToken: string;
}

/** Input of `logout`. */
export interface LogoutInput {
  /** The refresh token of the session, for a client without a valid access token. Send no `Authorization` header with it. */
  refreshToken?: string | null;
}

/** A method of signing in. */
export type SignInMethod =
  | "EMAIL_CODE"
  | "PASSWORD"
  | (string & {});

/** Who can create an account. */
export type SignUpPolicy =
  | "OPEN"
  | "CLOSED"
  | "DOMAINS"
  | (string & {});

export interface Login {
  outcome: { __typename: "CodeSent"; challenge: string; email: string; codeLength: number; expiresAt: string; resendAt: string; attemptsLeft: number } | { __typename: "SignedIn"; isNewUser: boolean; deviceToken: string; tokens: { accessToken: string; refreshToken: string }; session: { remembered: boolean }; user: { id: string; databaseId: string; email: string; name: string | null; role: Role } } | { __typename: "InvalidCredentials"; code: ProblemCode; message: string } | { __typename: "InvalidEmail"; code: ProblemCode; message: string } | { __typename: "RateLimited"; code: ProblemCode; message: string; retryAt: string };
}

export const LOGIN = "mutation Login($input:LoginInput!){outcome:login(input:$input){__typename ...on CodeSent{challenge email codeLength expiresAt resendAt attemptsLeft}...on SignedIn{isNewUser deviceToken tokens{accessToken refreshToken}session{remembered}user{...on User{id databaseId email name role}}}...on Problem{code message ...on RateLimited{retryAt}...on InvalidCode{attemptsLeft}...on WeakPassword{reasons}}}}" as Operation<Login, { input: LoginInput }>;

export interface Register {
  outcome: { __typename: "CodeSent"; challenge: string; email: string; codeLength: number; expiresAt: string; resendAt: string; attemptsLeft: number } | { __typename: "WeakPassword"; code: ProblemCode; message: string; reasons: WeakPasswordReason[] } | { __typename: "InvalidEmail"; code: ProblemCode; message: string } | { __typename: "RateLimited"; code: ProblemCode; message: string; retryAt: string };
}

export const REGISTER = "mutation Register($input:RegisterInput!){outcome:register(input:$input){__typename ...on CodeSent{challenge email codeLength expiresAt resendAt attemptsLeft}...on Problem{code message ...on RateLimited{retryAt}...on InvalidCode{attemptsLeft}...on WeakPassword{reasons}}}}" as Operation<Register, { input: RegisterInput }>;

export interface RequestReset {
  outcome: { __typename: "CodeSent"; challenge: string; email: string; codeLength: number; expiresAt: string; resendAt: string; attemptsLeft: number } | { __typename: "InvalidEmail"; code: ProblemCode; message: string } | { __typename: "RateLimited"; code: ProblemCode; message: string; retryAt: string };
}

export const REQUEST_RESET = "mutation RequestReset($input:RequestPasswordResetInput!){outcome:requestPasswordReset(input:$input){__typename ...on CodeSent{challenge email codeLength expiresAt resendAt attemptsLeft}...on Problem{code message ...on RateLimited{retryAt}...on InvalidCode{attemptsLeft}...on WeakPassword{reasons}}}}" as Operation<RequestReset, { input: RequestPasswordResetInput }>;

export interface Resend {
  outcome: { __typename: "CodeSent"; challenge: string; email: string; codeLength: number; expiresAt: string; resendAt: string; attemptsLeft: number } | { __typename: "CodeExpired"; code: ProblemCode; message: string } | { __typename: "RateLimited"; code: ProblemCode; message: string; retryAt: string };
}

export const RESEND = "mutation Resend($input:ResendCodeInput!){outcome:resendCode(input:$input){__typename ...on CodeSent{challenge email codeLength expiresAt resendAt attemptsLeft}...on Problem{code message ...on RateLimited{retryAt}...on InvalidCode{attemptsLeft}...on WeakPassword{reasons}}}}" as Operation<Resend, { input: ResendCodeInput }>;

export interface Verify {
  outcome: { __typename: "SignedIn"; isNewUser: boolean; deviceToken: string; tokens: { accessToken: string; refreshToken: string }; session: { remembered: boolean }; user: { id: string; databaseId: string; email: string; name: string | null; role: Role } } | { __typename: "InvalidCode"; code: ProblemCode; message: string; attemptsLeft: number } | { __typename: "CodeExpired"; code: ProblemCode; message: string } | { __typename: "RateLimited"; code: ProblemCode; message: string; retryAt: string };
}

export const VERIFY = "mutation Verify($input:VerifyInput!){outcome:verify(input:$input){__typename ...on SignedIn{isNewUser deviceToken tokens{accessToken refreshToken}session{remembered}user{...on User{id databaseId email name role}}}...on Problem{code message ...on RateLimited{retryAt}...on InvalidCode{attemptsLeft}...on WeakPassword{reasons}}}}" as Operation<Verify, { input: VerifyInput }>;

export interface VerifyLink {
  outcome: { __typename: "SignedIn"; isNewUser: boolean; deviceToken: string; tokens: { accessToken: string; refreshToken: string }; session: { remembered: boolean }; user: { id: string; databaseId: string; email: string; name: string | null; role: Role } } | { __typename: "InvalidCode"; code: ProblemCode; message: string; attemptsLeft: number } | { __typename: "CodeExpired"; code: ProblemCode; message: string } | { __typename: "RateLimited"; code: ProblemCode; message: string; retryAt: string };
}

export const VERIFY_LINK = "mutation VerifyLink($input:VerifyLinkInput!){outcome:verifyLink(input:$input){__typename ...on SignedIn{isNewUser deviceToken tokens{accessToken refreshToken}session{remembered}user{...on User{id databaseId email name role}}}...on Problem{code message ...on RateLimited{retryAt}...on InvalidCode{attemptsLeft}...on WeakPassword{reasons}}}}" as Operation<VerifyLink, { input: VerifyLinkInput }>;

export interface Reset {
  outcome: { __typename: "SignedIn"; isNewUser: boolean; deviceToken: string; tokens: { accessToken: string; refreshToken: string }; session: { remembered: boolean }; user: { id: string; databaseId: string; email: string; name: string | null; role: Role } } | { __typename: "InvalidCode"; code: ProblemCode; message: string; attemptsLeft: number } | { __typename: "CodeExpired"; code: ProblemCode; message: string } | { __typename: "WeakPassword"; code: ProblemCode; message: string; reasons: WeakPasswordReason[] } | { __typename: "RateLimited"; code: ProblemCode; message: string; retryAt: string };
}

export const RESET = "mutation Reset($input:ResetPasswordInput!){outcome:resetPassword(input:$input){__typename ...on SignedIn{isNewUser deviceToken tokens{accessToken refreshToken}session{remembered}user{...on User{id databaseId email name role}}}...on Problem{code message ...on RateLimited{retryAt}...on InvalidCode{attemptsLeft}...on WeakPassword{reasons}}}}" as Operation<Reset, { input: ResetPasswordInput }>;

export interface Refresh {
  outcome: { __typename: "Refreshed"; tokens: { accessToken: string; refreshToken: string }; session: { user: { id: string; databaseId: string; email: string; name: string | null; role: Role } } } | { __typename: "SessionEnded"; code: ProblemCode; message: string } | { __typename: "RateLimited"; code: ProblemCode; message: string; retryAt: string };
}

export const REFRESH = "mutation Refresh($input:RefreshInput!){outcome:refresh(input:$input){__typename ...on Refreshed{tokens{accessToken refreshToken}session{user{...on User{id databaseId email name role}}}}...on Problem{code message ...on RateLimited{retryAt}...on InvalidCode{attemptsLeft}...on WeakPassword{reasons}}}}" as Operation<Refresh, { input: RefreshInput }>;

export interface Logout {
  outcome: { __typename: "LoggedOut" } | { __typename: "SessionEnded"; code: ProblemCode; message: string };
}

export const LOGOUT = "mutation Logout($input:LogoutInput){outcome:logout(input:$input){__typename ...on Problem{code message ...on RateLimited{retryAt}...on InvalidCode{attemptsLeft}...on WeakPassword{reasons}}}}" as Operation<Logout, { input?: LogoutInput | null }>;

export interface EndOtherSessions {
  outcome: { count: number };
}

export const END_OTHER_SESSIONS = "mutation EndOtherSessions{outcome:endOtherSessions{count}}" as Operation<EndOtherSessions, Record<string, never>>;

export interface Me {
  me: { id: string; databaseId: string; email: string; name: string | null; role: Role } | null;
}

export const ME = "query Me{me{...on User{id databaseId email name role}}}" as Operation<Me, Record<string, never>>;

export interface Options {
  signInOptions: { brand: string; methods: SignInMethod[]; signUp: SignUpPolicy; codeLength: number; passwordPolicy: { minLength: number; maxLength: number } | null };
}

export const OPTIONS = "query Options{signInOptions{brand methods signUp codeLength passwordPolicy{minLength maxLength}}}" as Operation<Options, Record<string, never>>;
