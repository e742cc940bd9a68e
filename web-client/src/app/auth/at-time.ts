// Does something at a point on the monotonic clock, and never before it: a browser's timer may fire a moment early, and
// whoever then looks at the clock would find that it is not time yet.

/** `time` is on the clock of `performance.now()`, in milliseconds. Returns how to call it off. */
export function atTime(time: number, work: () => void): () => void {
  let timer: ReturnType<typeof setTimeout>;
  const arm = () => {
    timer = setTimeout(
      () => (performance.now() < time ? arm() : work()),
      Math.max(0, Math.ceil(time - performance.now())),
    );
  };
  arm();
  return () => clearTimeout(timer);
}
