// Written by web/build from operations.graphql. Do not edit.

/** The text of an operation, with the types of its data and its variables. */
export type Document<Data, Variables> = string & { readonly types?: (variables: Variables) => Data };

export type Role =
  | "ADMIN"
  | "MANAGER"
  | "USER"
  | "GUEST";

export type AuditKind =
  | "CODE_REQUESTED"
  | "LINK_REQUESTED"
  | "WRONG_CODE"
  | "REGISTRATION_REQUESTED"
  | "WRONG_PASSWORD"
  | "PASSWORD_RESET_REQUESTED"
  | "PASSWORD_RESET"
  | "PASSWORD_SET"
  | "PASSWORD_REMOVED"
  | "API_KEY_CREATED"
  | "API_KEY_ROTATED"
  | "API_KEY_REVOKED"
  | "SESSION_DISOWNED"
  | "EXPIRED_CODE"
  | "SIGNED_IN"
  | "SIGNED_UP"
  | "TEST_CODE_USED"
  | "SIGNED_OUT"
  | "SESSION_ENDED"
  | "REFRESH_TOKEN_REUSED"
  | "DEVICE_FORGOTTEN"
  | "LIMIT_REFUSED"
  | "PERMISSION_DENIED"
  | "KEY_ROTATED"
  | "PROFILE_CHANGED"
  | "EMAIL_CHANGE_REQUESTED"
  | "EMAIL_CHANGED"
  | "EMAIL_CHANGE_UNDONE"
  | "USER_CREATED"
  | "USER_CHANGED"
  | "USER_DELETED"
  | "USER_RESTORED"
  | "USER_ERASED"
  | "DATA_EXPORTED";

export interface LoginInput {
  email: string;
  password?: string | null;
  remember?: boolean;
  challenge?: string | null;
  deviceToken?: string | null;
  locale?: string | null;
}

export interface VerifyInput {
  challenge: string;
  code: string;
}

export interface VerifyLinkInput {
  token: string;
}

export interface RegisterInput {
  email: string;
  password: string;
  name?: string | null;
  remember?: boolean;
  deviceToken?: string | null;
  locale?: string | null;
}

export interface ResendCodeInput {
  challenge: string;
}

export interface RequestPasswordResetInput {
  email: string;
  deviceToken?: string | null;
  locale?: string | null;
}

export interface ResetPasswordInput {
  challenge: string;
  code: string;
  newPassword: string;
  remember?: boolean;
}

export interface EndSessionInput {
  id: string;
}

export interface ForgetDeviceInput {
  id: string;
}

export interface UpdateProfileInput {
  name?: string | null;
  locale?: string | null;
}

export interface ChangeEmailInput {
  email: string;
  locale?: string | null;
}

export interface ConfirmEmailInput {
  challenge: string;
  code: string;
}

export interface SetPasswordInput {
  currentPassword?: string | null;
  newPassword: string;
}

export interface RemovePasswordInput {
  currentPassword?: string | null;
}

export interface DeleteAccountInput {
  email: string;
}

export interface UndoEmailChangeInput {
  token: string;
}

export interface DisownSessionInput {
  token: string;
}

export interface Me {
  me: { id: string; email: string; name: string | null; role: Role; locale: string | null; hasPassword: boolean | null; passwordChangedAt: string | null; createdAt: string } | null;
}

export const ME = "query Me{me{id email name role locale hasPassword passwordChangedAt createdAt}}" as Document<Me, Record<string, never>>;

export interface CheckSession {
  me: { id: string } | null;
}

export const CHECK_SESSION = "query CheckSession{me{id}}" as Document<CheckSession, Record<string, never>>;

export interface Security {
  me: { sessions: { nodes: ({ id: string; createdAt: string; lastSeenAt: string; userAgent: string | null; ipAddress: string | null; remembered: boolean; current: boolean; clientId: string | null })[] }; devices: ({ id: string; createdAt: string; lastUsedAt: string; userAgent: string | null; ipAddress: string | null })[]; auditEvents: { nodes: ({ id: string; at: string; kind: AuditKind; userAgent: string | null; ipAddress: string | null; count: number })[]; pageInfo: { hasNextPage: boolean; endCursor: string | null } } } | null;
}

export const SECURITY = "query Security{me{sessions(first:50){nodes{id createdAt lastSeenAt userAgent ipAddress remembered current clientId}}devices{id createdAt lastUsedAt userAgent ipAddress}auditEvents(first:10){...on AuditEventConnection{nodes{id at kind userAgent ipAddress count}pageInfo{hasNextPage endCursor}}}}}" as Document<Security, Record<string, never>>;

export interface MoreActivity {
  me: { auditEvents: { nodes: ({ id: string; at: string; kind: AuditKind; userAgent: string | null; ipAddress: string | null; count: number })[]; pageInfo: { hasNextPage: boolean; endCursor: string | null } } } | null;
}

export const MORE_ACTIVITY = "query MoreActivity($after:String){me{auditEvents(first:20 after:$after){...on AuditEventConnection{nodes{id at kind userAgent ipAddress count}pageInfo{hasNextPage endCursor}}}}}" as Document<MoreActivity, { after?: string | null }>;

export interface Login {
  login: { __typename: "CodeSent"; challenge: string; email: string; codeLength: number; expiresAt: string; resendAt: string; attemptsLeft: number } | { __typename: "SignedIn"; isNewUser: boolean; deviceToken: string; user: { email: string }; session: { remembered: boolean }; tokens: { accessToken: string; expiresAt: string; refreshToken: string } } | { __typename: "InvalidCredentials"; message: string } | { __typename: "InvalidEmail"; message: string } | { __typename: "RateLimited"; message: string; retryAt: string };
}

export const LOGIN = "mutation Login($input:LoginInput!){login(input:$input){__typename ...on CodeSent{challenge email codeLength expiresAt resendAt attemptsLeft}...on SignedIn{isNewUser deviceToken user{email}session{remembered}tokens{accessToken expiresAt refreshToken}}...on Problem{message ...on RateLimited{retryAt}}}}" as Document<Login, { input: LoginInput }>;

export interface Verify {
  verify: { __typename: "SignedIn"; isNewUser: boolean; deviceToken: string; user: { email: string }; session: { remembered: boolean }; tokens: { accessToken: string; expiresAt: string; refreshToken: string } } | { __typename: "InvalidCode"; attemptsLeft: number; message: string } | { __typename: "CodeExpired"; message: string } | { __typename: "RateLimited"; message: string; retryAt: string };
}

export const VERIFY = "mutation Verify($input:VerifyInput!){verify(input:$input){__typename ...on SignedIn{isNewUser deviceToken user{email}session{remembered}tokens{accessToken expiresAt refreshToken}}...on InvalidCode{attemptsLeft}...on Problem{message ...on RateLimited{retryAt}}}}" as Document<Verify, { input: VerifyInput }>;

export interface VerifyLink {
  verifyLink: { __typename: "SignedIn"; isNewUser: boolean; deviceToken: string; user: { email: string }; session: { remembered: boolean }; tokens: { accessToken: string; expiresAt: string; refreshToken: string } } | { __typename: "InvalidCode"; message: string } | { __typename: "CodeExpired"; message: string } | { __typename: "RateLimited"; message: string; retryAt: string };
}

export const VERIFY_LINK = "mutation VerifyLink($input:VerifyLinkInput!){verifyLink(input:$input){__typename ...on SignedIn{isNewUser deviceToken user{email}session{remembered}tokens{accessToken expiresAt refreshToken}}...on Problem{message ...on RateLimited{retryAt}}}}" as Document<VerifyLink, { input: VerifyLinkInput }>;

export interface Register {
  register: { __typename: "CodeSent"; challenge: string; email: string; codeLength: number; expiresAt: string; resendAt: string; attemptsLeft: number } | { __typename: "WeakPassword"; message: string } | { __typename: "InvalidEmail"; message: string } | { __typename: "RateLimited"; message: string; retryAt: string };
}

export const REGISTER = "mutation Register($input:RegisterInput!){register(input:$input){__typename ...on CodeSent{challenge email codeLength expiresAt resendAt attemptsLeft}...on Problem{message ...on RateLimited{retryAt}}}}" as Document<Register, { input: RegisterInput }>;

export interface ResendCode {
  resendCode: { __typename: "CodeSent"; challenge: string; email: string; codeLength: number; expiresAt: string; resendAt: string; attemptsLeft: number } | { __typename: "CodeExpired"; message: string } | { __typename: "RateLimited"; message: string; retryAt: string };
}

export const RESEND_CODE = "mutation ResendCode($input:ResendCodeInput!){resendCode(input:$input){__typename ...on CodeSent{challenge email codeLength expiresAt resendAt attemptsLeft}...on Problem{message ...on RateLimited{retryAt}}}}" as Document<ResendCode, { input: ResendCodeInput }>;

export interface RequestPasswordReset {
  requestPasswordReset: { __typename: "CodeSent"; challenge: string; email: string; codeLength: number; expiresAt: string; resendAt: string; attemptsLeft: number } | { __typename: "InvalidEmail"; message: string } | { __typename: "RateLimited"; message: string; retryAt: string };
}

export const REQUEST_PASSWORD_RESET = "mutation RequestPasswordReset($input:RequestPasswordResetInput!){requestPasswordReset(input:$input){__typename ...on CodeSent{challenge email codeLength expiresAt resendAt attemptsLeft}...on Problem{message ...on RateLimited{retryAt}}}}" as Document<RequestPasswordReset, { input: RequestPasswordResetInput }>;

export interface ResetPassword {
  resetPassword: { __typename: "SignedIn"; isNewUser: boolean; deviceToken: string; user: { email: string }; session: { remembered: boolean }; tokens: { accessToken: string; expiresAt: string; refreshToken: string } } | { __typename: "InvalidCode"; attemptsLeft: number; message: string } | { __typename: "CodeExpired"; message: string } | { __typename: "WeakPassword"; message: string } | { __typename: "RateLimited"; message: string; retryAt: string };
}

export const RESET_PASSWORD = "mutation ResetPassword($input:ResetPasswordInput!){resetPassword(input:$input){__typename ...on SignedIn{isNewUser deviceToken user{email}session{remembered}tokens{accessToken expiresAt refreshToken}}...on InvalidCode{attemptsLeft}...on Problem{message ...on RateLimited{retryAt}}}}" as Document<ResetPassword, { input: ResetPasswordInput }>;

export interface EndSession {
  endSession: { session: { id: string } };
}

export const END_SESSION = "mutation EndSession($input:EndSessionInput!){endSession(input:$input){session{id}}}" as Document<EndSession, { input: EndSessionInput }>;

export interface EndOtherSessions {
  endOtherSessions: { count: number };
}

export const END_OTHER_SESSIONS = "mutation EndOtherSessions{endOtherSessions{count}}" as Document<EndOtherSessions, Record<string, never>>;

export interface ForgetDevice {
  forgetDevice: { deviceId: string };
}

export const FORGET_DEVICE = "mutation ForgetDevice($input:ForgetDeviceInput!){forgetDevice(input:$input){deviceId}}" as Document<ForgetDevice, { input: ForgetDeviceInput }>;

export interface UpdateProfile {
  updateProfile: { __typename: "ProfileUpdated"; user: { name: string | null; locale: string | null } } | { __typename: "RateLimited"; message: string; retryAt: string };
}

export const UPDATE_PROFILE = "mutation UpdateProfile($input:UpdateProfileInput!){updateProfile(input:$input){__typename ...on ProfileUpdated{user{name locale}}...on Problem{message ...on RateLimited{retryAt}}}}" as Document<UpdateProfile, { input: UpdateProfileInput }>;

export interface ChangeEmail {
  changeEmail: { __typename: "CodeSent"; challenge: string; email: string; codeLength: number; expiresAt: string; resendAt: string; attemptsLeft: number } | { __typename: "InvalidEmail"; message: string } | { __typename: "RateLimited"; message: string; retryAt: string };
}

export const CHANGE_EMAIL = "mutation ChangeEmail($input:ChangeEmailInput!){changeEmail(input:$input){__typename ...on CodeSent{challenge email codeLength expiresAt resendAt attemptsLeft}...on Problem{message ...on RateLimited{retryAt}}}}" as Document<ChangeEmail, { input: ChangeEmailInput }>;

export interface ConfirmEmail {
  confirmEmail: { __typename: "EmailChanged"; user: { email: string } } | { __typename: "InvalidCode"; attemptsLeft: number; message: string } | { __typename: "CodeExpired"; message: string } | { __typename: "EmailTaken"; message: string } | { __typename: "RateLimited"; message: string; retryAt: string };
}

export const CONFIRM_EMAIL = "mutation ConfirmEmail($input:ConfirmEmailInput!){confirmEmail(input:$input){__typename ...on EmailChanged{user{email}}...on InvalidCode{attemptsLeft}...on Problem{message ...on RateLimited{retryAt}}}}" as Document<ConfirmEmail, { input: ConfirmEmailInput }>;

export interface SetPassword {
  setPassword: { __typename: "PasswordSet"; user: { hasPassword: boolean | null; passwordChangedAt: string | null } } | { __typename: "InvalidCredentials"; message: string } | { __typename: "WeakPassword"; message: string } | { __typename: "RateLimited"; message: string; retryAt: string };
}

export const SET_PASSWORD = "mutation SetPassword($input:SetPasswordInput!){setPassword(input:$input){__typename ...on PasswordSet{user{hasPassword passwordChangedAt}}...on Problem{message ...on RateLimited{retryAt}}}}" as Document<SetPassword, { input: SetPasswordInput }>;

export interface RemovePassword {
  removePassword: { __typename: "PasswordRemoved"; user: { hasPassword: boolean | null; passwordChangedAt: string | null } } | { __typename: "InvalidCredentials"; message: string } | { __typename: "RateLimited"; message: string; retryAt: string };
}

export const REMOVE_PASSWORD = "mutation RemovePassword($input:RemovePasswordInput!){removePassword(input:$input){__typename ...on PasswordRemoved{user{hasPassword passwordChangedAt}}...on Problem{message ...on RateLimited{retryAt}}}}" as Document<RemovePassword, { input: RemovePasswordInput }>;

export interface ExportData {
  exportData: { __typename: "DataExported"; data: unknown } | { __typename: "RateLimited"; message: string; retryAt: string };
}

export const EXPORT_DATA = "mutation ExportData{exportData{__typename ...on DataExported{data}...on Problem{message ...on RateLimited{retryAt}}}}" as Document<ExportData, Record<string, never>>;

export interface DeleteAccount {
  deleteAccount: { __typename: "AccountDeleted"; message: string } | { __typename: "LastAdmin"; message: string };
}

export const DELETE_ACCOUNT = "mutation DeleteAccount($input:DeleteAccountInput!){deleteAccount(input:$input){__typename ...on AccountDeleted{message}...on Problem{message ...on RateLimited{retryAt}}}}" as Document<DeleteAccount, { input: DeleteAccountInput }>;

export interface UndoEmailChange {
  undoEmailChange: { __typename: "EmailChangeUndone"; message: string } | { __typename: "EmailTaken"; message: string } | { __typename: "CodeExpired"; message: string } | { __typename: "RateLimited"; message: string; retryAt: string };
}

export const UNDO_EMAIL_CHANGE = "mutation UndoEmailChange($input:UndoEmailChangeInput!){undoEmailChange(input:$input){__typename ...on EmailChangeUndone{message}...on Problem{message ...on RateLimited{retryAt}}}}" as Document<UndoEmailChange, { input: UndoEmailChangeInput }>;

export interface DisownSession {
  disownSession: { __typename: "SessionDisowned"; message: string } | { __typename: "CodeExpired"; message: string } | { __typename: "RateLimited"; message: string; retryAt: string };
}

export const DISOWN_SESSION = "mutation DisownSession($input:DisownSessionInput!){disownSession(input:$input){__typename ...on SessionDisowned{message}...on Problem{message ...on RateLimited{retryAt}}}}" as Document<DisownSession, { input: DisownSessionInput }>;

export interface InboxIds {
  inbox: { id: string }[];
}

export const INBOX_IDS = "query InboxIds{inbox(first:100){id}}" as Document<InboxIds, Record<string, never>>;

export interface Inbox {
  inbox: ({ id: string; at: string; to: string; subject: string; text: string; html: string; code: string | null })[];
}

export const INBOX = "query Inbox{inbox(first:100){id at to subject text html code}}" as Document<Inbox, Record<string, never>>;

export interface NewestCode {
  inbox: ({ at: string; code: string | null })[];
}

export const NEWEST_CODE = "query NewestCode($to:String!){inbox(to:$to first:1){at code}}" as Document<NewestCode, { to: string }>;
