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
  | "PASSWORD_RESET_SENT"
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
  | "CLIENT_APPROVED"
  | "CLIENT_SIGNED_IN"
  | "AUTHORIZATION_CODE_REFUSED"
  | "AUTHORIZATION_CODE_REUSED"
  | "CLIENT_ADDED"
  | "CLIENT_REMOVED"
  | "DATA_EXPORTED"
  | "PEOPLE_IMPORTED"
  | "PEOPLE_EXPORTED";

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

export interface CreateApiKeyInput {
  name: string;
  scopes: string[];
  expiresAt?: string | null;
}

export interface RotateApiKeyInput {
  id: string;
  overlapSeconds?: number;
}

export interface RevokeApiKeyInput {
  id: string;
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

export type AuditInterval =
  | "HOUR"
  | "DAY";

export type UserStatus =
  | "ACTIVE"
  | "SUSPENDED"
  | "DELETED";

export interface UserFilter {
  emailPrefix?: string | null;
  namePrefix?: string | null;
  search?: string | null;
  roles?: Role[] | null;
  statuses?: UserStatus[] | null;
  createdFrom?: string | null;
  createdBefore?: string | null;
}

export interface UserOrder {
  field: UserOrderField;
  direction?: OrderDirection;
}

export type UserOrderField =
  | "CREATED_AT"
  | "EMAIL"
  | "NAME"
  | "LAST_SIGN_IN_AT";

export type OrderDirection =
  | "ASC"
  | "DESC";

export type SessionEndReason =
  | "EXPIRED"
  | "SIGNED_OUT"
  | "ENDED_ELSEWHERE"
  | "REPLACED"
  | "TOKEN_REUSED"
  | "BY_ADMIN"
  | "SUSPENDED"
  | "DELETED"
  | "EMAIL_CHANGED"
  | "EMAIL_CHANGE_UNDONE"
  | "PASSWORD_RESET"
  | "PASSWORD_CHANGED"
  | "DISOWNED"
  | "CODE_REUSED"
  | "CLIENT_REMOVED";

export type AuthenticationMethod =
  | "EMAIL_CODE"
  | "LINK"
  | "PASSWORD";

export interface AuditFilter {
  kinds?: AuditKind[] | null;
  actorId?: string | null;
  subjectId?: string | null;
  network?: string | null;
  sessionId?: string | null;
  email?: string | null;
  from?: string | null;
  before?: string | null;
}

export interface CreateUserInput {
  email: string;
  name?: string | null;
  role?: Role;
  locale?: string | null;
  invite?: boolean;
}

export interface UpdateUserInput {
  id: string;
  version?: number | null;
  email?: string | null;
  name?: string | null;
  role?: Role | null;
  status?: UserStatus | null;
}

export interface SuspendUserInput {
  id: string;
  version?: number | null;
  reason?: string | null;
}

export interface DeleteUserInput {
  id: string;
  version?: number | null;
}

export interface RestoreUserInput {
  id: string;
  version?: number | null;
}

export interface SendPasswordResetInput {
  id: string;
}

export interface EndUserSessionInput {
  id: string;
}

export interface EndUserSessionsInput {
  id: string;
}

export interface Me {
  me: { id: string; databaseId: string; email: string; name: string | null; role: Role; locale: string | null; hasPassword: boolean | null; passwordChangedAt: string | null; createdAt: string } | null;
}

export const ME = "query Me{me{id databaseId email name role locale hasPassword passwordChangedAt createdAt}}" as Document<Me, Record<string, never>>;

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

export interface ApiKeys {
  me: { apiKeys: ({ id: string; name: string; prefix: string; scopes: string[]; createdAt: string; expiresAt: string | null; lastUsedAt: string | null; revokedAt: string | null })[] } | null;
}

export const API_KEYS = "query ApiKeys{me{apiKeys{...on ApiKey{id name prefix scopes createdAt expiresAt lastUsedAt revokedAt}}}}" as Document<ApiKeys, Record<string, never>>;

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

export interface CreateApiKey {
  createApiKey: { __typename: "ApiKeyCreated"; key: string; apiKey: { id: string; name: string; prefix: string; scopes: string[]; createdAt: string; expiresAt: string | null; lastUsedAt: string | null; revokedAt: string | null } } | { __typename: "RateLimited"; message: string; retryAt: string };
}

export const CREATE_API_KEY = "mutation CreateApiKey($input:CreateApiKeyInput!){createApiKey(input:$input){__typename ...on ApiKeyCreated{key apiKey{...on ApiKey{id name prefix scopes createdAt expiresAt lastUsedAt revokedAt}}}...on Problem{message ...on RateLimited{retryAt}}}}" as Document<CreateApiKey, { input: CreateApiKeyInput }>;

export interface RotateApiKey {
  rotateApiKey: { __typename: "ApiKeyCreated"; key: string; apiKey: { id: string; name: string; prefix: string; scopes: string[]; createdAt: string; expiresAt: string | null; lastUsedAt: string | null; revokedAt: string | null } } | { __typename: "RateLimited"; message: string; retryAt: string };
}

export const ROTATE_API_KEY = "mutation RotateApiKey($input:RotateApiKeyInput!){rotateApiKey(input:$input){__typename ...on ApiKeyCreated{key apiKey{...on ApiKey{id name prefix scopes createdAt expiresAt lastUsedAt revokedAt}}}...on Problem{message ...on RateLimited{retryAt}}}}" as Document<RotateApiKey, { input: RotateApiKeyInput }>;

export interface RevokeApiKey {
  revokeApiKey: { apiKey: { id: string; name: string; prefix: string; scopes: string[]; createdAt: string; expiresAt: string | null; lastUsedAt: string | null; revokedAt: string | null } };
}

export const REVOKE_API_KEY = "mutation RevokeApiKey($input:RevokeApiKeyInput!){revokeApiKey(input:$input){apiKey{...on ApiKey{id name prefix scopes createdAt expiresAt lastUsedAt revokedAt}}}}" as Document<RevokeApiKey, { input: RevokeApiKeyInput }>;

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

export interface Overview {
  auditStatistics: { intervals: string[]; series: { kind: AuditKind; total: number; counts: number[] }[] };
  mailQueue: { waiting: number; oldestAgeSeconds: number | null };
}

export const OVERVIEW = "query Overview($from:DateTime!$before:DateTime!$interval:AuditInterval!){auditStatistics(from:$from before:$before interval:$interval){intervals series{kind total counts}}mailQueue{waiting oldestAgeSeconds}}" as Document<Overview, { from: string; before: string; interval: AuditInterval }>;

export interface KindTotals {
  auditStatistics: { series: { kind: AuditKind; total: number }[] };
}

export const KIND_TOTALS = "query KindTotals($from:DateTime!$before:DateTime!$interval:AuditInterval!){auditStatistics(from:$from before:$before interval:$interval){series{kind total}}}" as Document<KindTotals, { from: string; before: string; interval: AuditInterval }>;

export interface People {
  users: { nodes: ({ id: string; databaseId: string; email: string; name: string | null; role: Role; status: UserStatus; createdAt: string; lastSignInAt: string | null })[]; pageInfo: { hasNextPage: boolean; hasPreviousPage: boolean; startCursor: string | null; endCursor: string | null } };
}

export const PEOPLE = "query People($first:Int$after:String$last:Int$before:String$filter:UserFilter$orderBy:UserOrder){users(first:$first after:$after last:$last before:$before filter:$filter orderBy:$orderBy){nodes{id databaseId email name role status createdAt lastSignInAt}pageInfo{...on PageInfo{hasNextPage hasPreviousPage startCursor endCursor}}}}" as Document<People, { first?: number | null; after?: string | null; last?: number | null; before?: string | null; filter?: UserFilter | null; orderBy?: UserOrder | null }>;

export interface PersonById {
  user: { id: string; databaseId: string; email: string; name: string | null; role: Role; status: UserStatus; createdAt: string; updatedAt: string; deletedAt: string | null; lastSignInAt: string | null; locale: string | null; version: number; hasPassword: boolean | null; passwordChangedAt: string | null } | null;
}

export const PERSON_BY_ID = "query PersonById($id:ID!){user(id:$id){...on User{id databaseId email name role status createdAt updatedAt deletedAt lastSignInAt locale version hasPassword passwordChangedAt}}}" as Document<PersonById, { id: string }>;

export interface PersonByEmail {
  user: { id: string; email: string; name: string | null } | null;
}

export const PERSON_BY_EMAIL = "query PersonByEmail($email:EmailAddress!){user(email:$email){id email name}}" as Document<PersonByEmail, { email: string }>;

export interface PersonAccess {
  user: { sessions: { nodes: ({ id: string; createdAt: string; lastSeenAt: string; expiresAt: string; endedAt: string | null; endReason: SessionEndReason | null; userAgent: string | null; ipAddress: string | null; methods: AuthenticationMethod[]; remembered: boolean; clientId: string | null; current: boolean })[] }; devices: ({ id: string; createdAt: string; lastUsedAt: string; userAgent: string | null; ipAddress: string | null })[]; apiKeys: ({ id: string; name: string; prefix: string; scopes: string[]; createdAt: string; expiresAt: string | null; lastUsedAt: string | null; revokedAt: string | null })[] } | null;
}

export const PERSON_ACCESS = "query PersonAccess($id:ID!){user(id:$id){sessions(first:50){nodes{...on Session{id createdAt lastSeenAt expiresAt endedAt endReason userAgent ipAddress methods remembered clientId current}}}devices{id createdAt lastUsedAt userAgent ipAddress}apiKeys{...on ApiKey{id name prefix scopes createdAt expiresAt lastUsedAt revokedAt}}}}" as Document<PersonAccess, { id: string }>;

export interface EndedSessions {
  user: { endedSessions: { nodes: ({ id: string; createdAt: string; lastSeenAt: string; expiresAt: string; endedAt: string | null; endReason: SessionEndReason | null; userAgent: string | null; ipAddress: string | null; methods: AuthenticationMethod[]; remembered: boolean; clientId: string | null; current: boolean })[]; pageInfo: { hasNextPage: boolean; hasPreviousPage: boolean; startCursor: string | null; endCursor: string | null } } } | null;
}

export const ENDED_SESSIONS = "query EndedSessions($id:ID!$after:String){user(id:$id){endedSessions(first:20 after:$after){nodes{...on Session{id createdAt lastSeenAt expiresAt endedAt endReason userAgent ipAddress methods remembered clientId current}}pageInfo{...on PageInfo{hasNextPage hasPreviousPage startCursor endCursor}}}}}" as Document<EndedSessions, { id: string; after?: string | null }>;

export interface AuditTrail {
  auditEvents: { nodes: ({ id: string; at: string; kind: AuditKind; count: number; ipAddress: string | null; userAgent: string | null; requestId: string | null; sessionId: string | null; actor: { id: string; email: string; name: string | null } | null; subject: { id: string; email: string; name: string | null } | null; details: { changes: ({ field: string; before: string | null; after: string | null })[]; reason: string | null; method: AuthenticationMethod | null; rule: string | null; field: string | null; attempt: number | null; addressHash: string | null; apiKeyName: string | null; scopes: string[]; clientId: string | null; erased: boolean } | null })[]; pageInfo: { hasNextPage: boolean; hasPreviousPage: boolean; startCursor: string | null; endCursor: string | null } };
}

export const AUDIT_TRAIL = "query AuditTrail($first:Int$after:String$last:Int$before:String$filter:AuditFilter){auditEvents(first:$first after:$after last:$last before:$before filter:$filter){nodes{...on AuditEvent{id at kind count ipAddress userAgent requestId sessionId actor{...on User{id email name}}subject{...on User{id email name}}details{changes{field before after}reason method rule field attempt addressHash apiKeyName scopes clientId erased}}}pageInfo{...on PageInfo{hasNextPage hasPreviousPage startCursor endCursor}}}}" as Document<AuditTrail, { first?: number | null; after?: string | null; last?: number | null; before?: string | null; filter?: AuditFilter | null }>;

export interface AuditTail {
  auditEventAdded: { id: string; at: string; kind: AuditKind; count: number; ipAddress: string | null; userAgent: string | null; requestId: string | null; sessionId: string | null; actor: { id: string; email: string; name: string | null } | null; subject: { id: string; email: string; name: string | null } | null; details: { changes: ({ field: string; before: string | null; after: string | null })[]; reason: string | null; method: AuthenticationMethod | null; rule: string | null; field: string | null; attempt: number | null; addressHash: string | null; apiKeyName: string | null; scopes: string[]; clientId: string | null; erased: boolean } | null };
}

export const AUDIT_TAIL = "subscription AuditTail($filter:AuditFilter){auditEventAdded(filter:$filter){...on AuditEvent{id at kind count ipAddress userAgent requestId sessionId actor{...on User{id email name}}subject{...on User{id email name}}details{changes{field before after}reason method rule field attempt addressHash apiKeyName scopes clientId erased}}}}" as Document<AuditTail, { filter?: AuditFilter | null }>;

export interface CreateUser {
  createUser: { __typename: "UserSaved"; user: { id: string; databaseId: string; email: string; name: string | null; role: Role; status: UserStatus; createdAt: string; updatedAt: string; deletedAt: string | null; lastSignInAt: string | null; locale: string | null; version: number; hasPassword: boolean | null; passwordChangedAt: string | null } } | { __typename: "EmailTaken"; message: string };
}

export const CREATE_USER = "mutation CreateUser($input:CreateUserInput!){createUser(input:$input){__typename ...on UserSaved{user{...on User{id databaseId email name role status createdAt updatedAt deletedAt lastSignInAt locale version hasPassword passwordChangedAt}}}...on Problem{message ...on RateLimited{retryAt}}}}" as Document<CreateUser, { input: CreateUserInput }>;

export interface UpdateUser {
  updateUser: { __typename: "UserSaved"; user: { id: string; databaseId: string; email: string; name: string | null; role: Role; status: UserStatus; createdAt: string; updatedAt: string; deletedAt: string | null; lastSignInAt: string | null; locale: string | null; version: number; hasPassword: boolean | null; passwordChangedAt: string | null } } | { __typename: "EmailTaken"; message: string } | { __typename: "LastAdmin"; message: string };
}

export const UPDATE_USER = "mutation UpdateUser($input:UpdateUserInput!){updateUser(input:$input){__typename ...on UserSaved{user{...on User{id databaseId email name role status createdAt updatedAt deletedAt lastSignInAt locale version hasPassword passwordChangedAt}}}...on Problem{message ...on RateLimited{retryAt}}}}" as Document<UpdateUser, { input: UpdateUserInput }>;

export interface SuspendUser {
  suspendUser: { __typename: "UserSaved"; user: { id: string; databaseId: string; email: string; name: string | null; role: Role; status: UserStatus; createdAt: string; updatedAt: string; deletedAt: string | null; lastSignInAt: string | null; locale: string | null; version: number; hasPassword: boolean | null; passwordChangedAt: string | null } } | { __typename: "LastAdmin"; message: string };
}

export const SUSPEND_USER = "mutation SuspendUser($input:SuspendUserInput!){suspendUser(input:$input){__typename ...on UserSaved{user{...on User{id databaseId email name role status createdAt updatedAt deletedAt lastSignInAt locale version hasPassword passwordChangedAt}}}...on Problem{message ...on RateLimited{retryAt}}}}" as Document<SuspendUser, { input: SuspendUserInput }>;

export interface DeleteUser {
  deleteUser: { __typename: "UserSaved"; user: { id: string; databaseId: string; email: string; name: string | null; role: Role; status: UserStatus; createdAt: string; updatedAt: string; deletedAt: string | null; lastSignInAt: string | null; locale: string | null; version: number; hasPassword: boolean | null; passwordChangedAt: string | null } } | { __typename: "LastAdmin"; message: string };
}

export const DELETE_USER = "mutation DeleteUser($input:DeleteUserInput!){deleteUser(input:$input){__typename ...on UserSaved{user{...on User{id databaseId email name role status createdAt updatedAt deletedAt lastSignInAt locale version hasPassword passwordChangedAt}}}...on Problem{message ...on RateLimited{retryAt}}}}" as Document<DeleteUser, { input: DeleteUserInput }>;

export interface RestoreUser {
  restoreUser: { user: { id: string; databaseId: string; email: string; name: string | null; role: Role; status: UserStatus; createdAt: string; updatedAt: string; deletedAt: string | null; lastSignInAt: string | null; locale: string | null; version: number; hasPassword: boolean | null; passwordChangedAt: string | null } };
}

export const RESTORE_USER = "mutation RestoreUser($input:RestoreUserInput!){restoreUser(input:$input){user{...on User{id databaseId email name role status createdAt updatedAt deletedAt lastSignInAt locale version hasPassword passwordChangedAt}}}}" as Document<RestoreUser, { input: RestoreUserInput }>;

export interface SendPasswordReset {
  sendPasswordReset: { __typename: "PasswordResetSent"; user: { id: string } } | { __typename: "RateLimited"; message: string; retryAt: string };
}

export const SEND_PASSWORD_RESET = "mutation SendPasswordReset($input:SendPasswordResetInput!){sendPasswordReset(input:$input){__typename ...on PasswordResetSent{user{id}}...on Problem{message ...on RateLimited{retryAt}}}}" as Document<SendPasswordReset, { input: SendPasswordResetInput }>;

export interface EndUserSession {
  endUserSession: { session: { id: string } };
}

export const END_USER_SESSION = "mutation EndUserSession($input:EndUserSessionInput!){endUserSession(input:$input){session{id}}}" as Document<EndUserSession, { input: EndUserSessionInput }>;

export interface EndUserSessions {
  endUserSessions: { count: number };
}

export const END_USER_SESSIONS = "mutation EndUserSessions($input:EndUserSessionsInput!){endUserSessions(input:$input){count}}" as Document<EndUserSessions, { input: EndUserSessionsInput }>;
