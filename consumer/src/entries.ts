// The entries that the other files do not import: their declarations must compile, too.

import type * as peersInternal from '@trunkline/peers/internal';
import type * as noise from '@trunkline/security/noise';
import type * as internal from '@trunkline/transport-core/internal';
import type * as testkit from '@trunkline/transport-testkit';
import type * as testkitInternal from '@trunkline/transport-testkit/internal';
import type * as tls from '@trunkline/transport-testkit/tls';
import type * as signaling from '@trunkline/transport-webrtc/signaling';
import type * as wamp from '@trunkline/transport-webrtc/wamp';
import type * as trunkline from 'trunkline';
import type * as backend from 'trunkline/backend';
import type * as gossip from 'trunkline/gossip';
import type * as gossipRelay from 'trunkline/gossip/relay';
import type * as peers from 'trunkline/peers';
import type * as resilience from 'trunkline/resilience';
import type * as security from 'trunkline/security';

export type Entries = [
  typeof noise,
  typeof internal,
  typeof peersInternal,
  typeof testkit,
  typeof testkitInternal,
  typeof tls,
  typeof signaling,
  typeof wamp,
  typeof trunkline,
  typeof backend,
  typeof gossip,
  typeof gossipRelay,
  typeof peers,
  typeof resilience,
  typeof security,
];
