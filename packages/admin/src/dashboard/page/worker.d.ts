// A worker that Vite puts into the page as a text.

declare module '*?worker&inline' {
  const create: new () => Worker;
  export default create;
}
