import type { IService as I0 } from 'kubernetes-models/v1/Service';
export const object0: I0 = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'work' },
  spec: { clusterIP: 'None', selector: { app: 'work' }, ports: [{ name: 'rpc', port: 7000 }] },
};

import type { IService as I1 } from 'kubernetes-models/v1/Service';
export const object1: I1 = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'work-nodes' },
  spec: {
    clusterIP: 'None',
    publishNotReadyAddresses: true,
    selector: { app: 'work' },
    ports: [{ name: 'rpc', port: 7000 }],
  },
};

import type { IStatefulSet as I2 } from 'kubernetes-models/apps/v1/StatefulSet';
export const object2: I2 = {
  apiVersion: 'apps/v1',
  kind: 'StatefulSet',
  metadata: { name: 'work' },
  spec: {
    serviceName: 'work-nodes',
    replicas: 3,
    minReadySeconds: 15,
    selector: { matchLabels: { app: 'work' } },
    template: {
      metadata: { labels: { app: 'work' } },
      spec: {
        terminationGracePeriodSeconds: 45,
        automountServiceAccountToken: false,
        securityContext: {
          runAsNonRoot: true,
          runAsUser: 1000,
          seccompProfile: { type: 'RuntimeDefault' },
        },
        containers: [
          {
            name: 'work',
            image: 'registry.example/work:1',
            command: ['node', 'dist/main.js'],
            env: [
              { name: 'POD', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
              { name: 'ADVERTISE', value: 'tcp://$(POD).work-nodes:7000' },
              { name: 'SEEDS', value: 'tcp://work-0.work-nodes:7000,tcp://work-1.work-nodes:7000' },
            ],
            ports: [
              { name: 'rpc', containerPort: 7000 },
              { name: 'http', containerPort: 8080 },
            ],
            livenessProbe: { httpGet: { path: '/healthz', port: 'http' } },
            readinessProbe: { httpGet: { path: '/readyz', port: 'http' }, periodSeconds: 2 },
            resources: {
              requests: { cpu: '250m', memory: '256Mi' },
              limits: { cpu: '1', memory: '512Mi' },
            },
            securityContext: {
              readOnlyRootFilesystem: true,
              allowPrivilegeEscalation: false,
              capabilities: { drop: ['ALL'] },
            },
          },
        ],
      },
    },
  },
};

import type { IPodDisruptionBudget as I3 } from 'kubernetes-models/policy/v1/PodDisruptionBudget';
export const object3: I3 = {
  apiVersion: 'policy/v1',
  kind: 'PodDisruptionBudget',
  metadata: { name: 'work' },
  spec: { maxUnavailable: 1, selector: { matchLabels: { app: 'work' } } },
};

import type { INetworkPolicy as I4 } from 'kubernetes-models/networking.k8s.io/v1/NetworkPolicy';
export const object4: I4 = {
  apiVersion: 'networking.k8s.io/v1',
  kind: 'NetworkPolicy',
  metadata: { name: 'work' },
  spec: {
    podSelector: { matchLabels: { app: 'work' } },
    policyTypes: ['Ingress', 'Egress'],
    ingress: [
      {
        from: [
          { podSelector: { matchLabels: { app: 'work' } } },
          { podSelector: { matchLabels: { 'calls-work': 'true' } } },
        ],
        ports: [{ port: 'rpc' }],
      },
    ],
    egress: [
      { to: [{ podSelector: { matchLabels: { app: 'work' } } }], ports: [{ port: 'rpc' }] },
      {
        to: [
          {
            namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'kube-system' } },
            podSelector: { matchLabels: { 'k8s-app': 'kube-dns' } },
          },
        ],
        ports: [
          { port: 53, protocol: 'UDP' },
          { port: 53, protocol: 'TCP' },
        ],
      },
    ],
  },
};
