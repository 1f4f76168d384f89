// The public entry for downloads that survive lost connections: `resumable` at the server, `resume`
// at the client.

export type { DownloadName } from './resumption/download.ts';
export { type ResumptionFailure, resumptionFailure } from './resumption/failures.ts';
export { type Resumable, resumable } from './resumption/resumable.ts';
export type { ResumableOptions } from './resumption/resumable-options.ts';
export { resume } from './resumption/resume.ts';
export type { ResumeOptions } from './resumption/resume-options.ts';
