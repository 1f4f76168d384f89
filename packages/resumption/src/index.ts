// The public entry for downloads that survive lost connections: `resumable` at the server, `resume`
// at the client.

export type { DownloadName } from './download.ts';
export { type ResumptionFailure, resumptionFailure } from './failures.ts';
export { type Resumable, resumable } from './resumable.ts';
export type { ResumableOptions } from './resumable-options.ts';
export { resume } from './resume.ts';
export type { ResumeOptions } from './resume-options.ts';
