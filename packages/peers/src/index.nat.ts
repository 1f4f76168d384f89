// Port mapping for nodes behind a router, by UPnP or NAT-PMP.

export {
  mapPort,
  type PortMapping,
  type PortMappingEvent,
  type PortMappingOptions,
} from './nat/map-port.ts';
