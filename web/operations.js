// All GraphQL operations of the pages. A server that accepts only trusted documents also accepts every string between
// backquotes in this file, so each string must be constant.

export const OPTIONS = `query Options { signInOptions { methods signUp passwordPolicy { minLength } } }`;
export const ME = `query Me { me { id email name role hasPassword } }`;
export const CHECK_SESSION = `query CheckSession { me { id } }`;

export const LOGIN = `mutation Login($input: LoginInput!) {
  login(input: $input) {
    __typename
    ... on CodeSent { challenge email codeLength expiresAt resendAt attemptsLeft }
    ... on SignedIn {
      isNewUser deviceToken user { email } session { remembered }
      tokens { accessToken expiresAt refreshToken refreshExpiresAt }
    }
    ... on RateLimited { retryAt }
    ... on Problem { message }
  }
}`;
export const VERIFY = `mutation Verify($input: VerifyInput!) {
  verify(input: $input) {
    __typename
    ... on SignedIn {
      isNewUser deviceToken user { email } session { remembered }
      tokens { accessToken expiresAt refreshToken refreshExpiresAt }
    }
    ... on InvalidCode { attemptsLeft }
    ... on RateLimited { retryAt }
    ... on Problem { message }
  }
}`;
export const VERIFY_LINK = `mutation VerifyLink($input: VerifyLinkInput!) {
  verifyLink(input: $input) {
    __typename
    ... on SignedIn {
      isNewUser deviceToken user { email } session { remembered }
      tokens { accessToken expiresAt refreshToken refreshExpiresAt }
    }
    ... on RateLimited { retryAt }
    ... on Problem { message }
  }
}`;
export const REGISTER = `mutation Register($input: RegisterInput!) {
  register(input: $input) {
    __typename
    ... on CodeSent { challenge email codeLength expiresAt resendAt attemptsLeft }
    ... on RateLimited { retryAt }
    ... on Problem { message }
  }
}`;
export const RESEND_CODE = `mutation ResendCode($input: ResendCodeInput!) {
  resendCode(input: $input) {
    __typename
    ... on CodeSent { challenge email codeLength expiresAt resendAt attemptsLeft }
    ... on RateLimited { retryAt }
    ... on Problem { message }
  }
}`;
export const REQUEST_PASSWORD_RESET = `mutation RequestPasswordReset($input: RequestPasswordResetInput!) {
  requestPasswordReset(input: $input) {
    __typename
    ... on CodeSent { challenge email codeLength expiresAt resendAt attemptsLeft }
    ... on RateLimited { retryAt }
    ... on Problem { message }
  }
}`;
export const RESET_PASSWORD = `mutation ResetPassword($input: ResetPasswordInput!) {
  resetPassword(input: $input) {
    __typename
    ... on SignedIn {
      isNewUser deviceToken user { email } session { remembered }
      tokens { accessToken expiresAt refreshToken refreshExpiresAt }
    }
    ... on InvalidCode { attemptsLeft }
    ... on RateLimited { retryAt }
    ... on Problem { message }
  }
}`;
export const REFRESH = `mutation Refresh($input: RefreshInput!) {
  refresh(input: $input) {
    __typename
    ... on Refreshed { tokens { accessToken expiresAt refreshToken refreshExpiresAt } }
    ... on RateLimited { retryAt }
    ... on Problem { message }
  }
}`;
export const LOGOUT = `mutation Logout($input: LogoutInput) {
  logout(input: $input) { __typename ... on Problem { message } }
}`;

export const UPDATE_PROFILE = `mutation UpdateProfile($input: UpdateProfileInput!) {
  updateProfile(input: $input) {
    __typename
    ... on ProfileUpdated { user { name } }
    ... on RateLimited { retryAt }
    ... on Problem { message }
  }
}`;
export const CHANGE_EMAIL = `mutation ChangeEmail($input: ChangeEmailInput!) {
  changeEmail(input: $input) {
    __typename
    ... on CodeSent { challenge email codeLength expiresAt attemptsLeft }
    ... on RateLimited { retryAt }
    ... on Problem { message }
  }
}`;
export const CONFIRM_EMAIL = `mutation ConfirmEmail($input: ConfirmEmailInput!) {
  confirmEmail(input: $input) {
    __typename
    ... on EmailChanged { user { email } }
    ... on InvalidCode { attemptsLeft }
    ... on RateLimited { retryAt }
    ... on Problem { message }
  }
}`;
export const SET_PASSWORD = `mutation SetPassword($input: SetPasswordInput!) {
  setPassword(input: $input) {
    __typename
    ... on PasswordSet { user { hasPassword } }
    ... on RateLimited { retryAt }
    ... on Problem { message }
  }
}`;
export const REMOVE_PASSWORD = `mutation RemovePassword($input: RemovePasswordInput!) {
  removePassword(input: $input) {
    __typename
    ... on PasswordRemoved { user { hasPassword } }
    ... on RateLimited { retryAt }
    ... on Problem { message }
  }
}`;
export const EXPORT_DATA = `mutation ExportData {
  exportData {
    __typename
    ... on DataExported { data }
    ... on RateLimited { retryAt }
    ... on Problem { message }
  }
}`;
export const DELETE_ACCOUNT = `mutation DeleteAccount($input: DeleteAccountInput!) {
  deleteAccount(input: $input) { __typename ... on AccountDeleted { message } ... on Problem { message } }
}`;
export const UNDO_EMAIL_CHANGE = `mutation UndoEmailChange($input: UndoEmailChangeInput!) {
  undoEmailChange(input: $input) {
    __typename
    ... on EmailChangeUndone { message }
    ... on RateLimited { retryAt }
    ... on Problem { message }
  }
}`;
export const DISOWN_SESSION = `mutation DisownSession($input: DisownSessionInput!) {
  disownSession(input: $input) {
    __typename
    ... on SessionDisowned { message }
    ... on RateLimited { retryAt }
    ... on Problem { message }
  }
}`;

export const INBOX_IDS = `query InboxIds { inbox(first: 100) { id } }`;
export const INBOX = `query Inbox { inbox(first: 100) { id at to subject text html code } }`;
