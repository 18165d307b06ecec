/** The path of a request, which may be logged and shown; its query may hold what somebody typed. */
export function pathOf({ url }: { url: string }): string {
  return url.split('?', 1)[0] ?? '';
}
