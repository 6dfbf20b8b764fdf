// One run of qemu-img in the image jail.
import type { Bind, JailMode } from '../launch/jail.ts';
import { runJailed } from '../launch/tool.ts';

/** Where and how image tools run. */
export interface ImageTools {
  readonly runtime: { readonly path: string };
  /** As root: the uid that the tools run under; absent = nobody. Files are lent to it for the time of an operation. */
  readonly uid?: number;
  /** Absent = `full` as root, else `user`. */
  readonly jail?: JailMode;
}

export interface QemuImgRun {
  readonly args: readonly string[];
  readonly binds: readonly Bind[];
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
  /** 0..1, from `-p`. */
  readonly progress?: (fraction: number) => void;
}

export const NOBODY = 65_534;
/** Looking at or making an image without copying. */
export const SHORT_MS = 60_000;
/** Copying is ended by the caller's signal; this only ends what hangs. */
export const COPY_MS = 24 * 3_600_000;

/** Its standard output. Errors: `ToolError`; the signal's reason. */
export async function qemuImg(tools: ImageTools, run: QemuImgRun): Promise<string> {
  const { progress } = run;
  const { stdout } = await runJailed({
    runtime: tools.runtime,
    program: '/usr/bin/qemu-img',
    args: run.args,
    binds: run.binds,
    uid: tools.uid ?? NOBODY,
    timeoutMs: run.timeoutMs,
    ...(run.signal === undefined ? {} : { signal: run.signal }),
    ...(tools.jail === undefined ? {} : { jail: tools.jail }),
    ...(progress === undefined ? {} : { onStdout: (text: string) => reportProgress(text, progress) }),
  });
  return stdout;
}

/** `-p` writes `    (12.34/100%)` over and over. */
function reportProgress(text: string, progress: (fraction: number) => void): void {
  const percent = [...text.matchAll(/\((\d+(?:\.\d+)?)\/100%\)/g)].at(-1)?.[1];
  if (percent !== undefined) progress(Number(percent) / 100);
}
