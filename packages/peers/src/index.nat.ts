// Port mapping for nodes behind a router, by UPnP or NAT-PMP.

export {
  createPortMapping,
  type PortMapping,
  type PortMappingEvent,
  type PortMappingOptions,
} from './nat/create-port-mapping.ts';
