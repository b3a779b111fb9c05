// Files that the bundler turns into modules.

declare module "*.css";
declare module "*.graphql?raw" {
  const text: string;
  export default text;
}
declare module "*?worker" {
  const worker: new () => Worker;
  export default worker;
}
