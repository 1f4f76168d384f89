// The stream layer suite over WebRTC, in a page.

import { casesInPage } from './page-cases.ts';

casesInPage('webrtc');
