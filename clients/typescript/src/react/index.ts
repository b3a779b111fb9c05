"use client";

// React components and hooks for sign-in.

export { DoorcodeProvider, useDoorcode, useSession } from "./provider.js";
export { SignIn, type SignInProps } from "./sign-in.js";
export { english, type Text } from "./text.js";
export { UserButton, type UserButtonProps } from "./user-button.js";
export { useSignIn, type SignInState } from "./use-sign-in.js";
