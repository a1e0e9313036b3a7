{{/*
The settings of the API and of the world, which share one code: the ConfigMap, the password for Kafka, and the address of
the world's store, with its password.
Arguments: the context, the Secret with the password for Kafka.
*/}}
{{- define "api.settings" -}}
{{- $context := first . -}}
envFrom: [{configMapRef: {name: api}}]
env:
  {{- if hasPrefix "SASL" $context.Values.global.kafka.securityProtocol }}
  - name: KAFKA_SASL_PASSWORD
    valueFrom: {secretKeyRef: {name: {{ last . }}, key: password}}
  {{- end }}
  {{- include "api.storeUrl" $context | nindent 2 }}
{{- end }}

{{/*
The address of the world's store, with its password; empty without a world. With TLS it names the authority.
*/}}
{{- define "api.storeUrl" -}}
{{- if include "api.storeTls" . -}}
- name: STORE_PASSWORD
  valueFrom: {secretKeyRef: {name: {{ include "api.storeSecret" . }}, key: password}}
- {name: WORLD_URL, value: "rediss://:$(STORE_PASSWORD)@world-store:6379?ssl_ca_certs=/store/ca.crt"}
{{- else if .Values.world.enabled -}}
- name: WORLD_URL
  valueFrom: {secretKeyRef: {name: {{ include "api.storeSecret" . }}, key: url}}
{{- else -}}
- {name: WORLD_URL, value: ""}
{{- end }}
{{- end }}

{{/*
The Secret with the certificate of the chart's store; nothing without TLS.
*/}}
{{- define "api.storeTls" -}}
{{- if include "api.hasStore" . }}{{ .Values.store.tlsSecret }}{{ end }}
{{- end }}

{{/*
The mount of the authority's certificate, with which clients verify the store's; nothing without TLS.
*/}}
{{- define "api.storeMount" -}}
{{- if include "api.storeTls" . -}}
- {name: store-ca, mountPath: /store}
{{- end }}
{{- end }}

{{/*
Its volume.
*/}}
{{- define "api.storeVolume" -}}
{{- with include "api.storeTls" . -}}
- {name: store-ca, secret: {secretName: {{ . }}, items: [{key: ca.crt, path: ca.crt}]}}
{{- end }}
{{- end }}

{{/*
The Secret with the address of the world's store.
*/}}
{{- define "api.storeSecret" -}}
{{- if not (or .Values.store.enabled .Values.store.existingSecret) }}
{{- fail "store.existingSecret: is needed without store.enabled" }}
{{- end }}
{{- .Values.store.existingSecret | default .Values.store.secretName }}
{{- end }}

{{/*
Whether the chart installs a store: "true", or nothing.
*/}}
{{- define "api.hasStore" -}}
{{ if and .Values.world.enabled .Values.store.enabled }}true{{ end }}
{{- end }}

{{/*
The volume mounts of the API and the world.
*/}}
{{- define "api.mounts" -}}
- {name: tmp, mountPath: /tmp}
{{ include "common.kafka.mount" . }}
{{ include "api.storeMount" . }}
{{- if include "api.usesTrino" . }}
{{ include "common.trino.mount" . }}
{{- end }}
{{- end }}

{{/*
The volumes of the API and the world.
*/}}
{{- define "api.volumes" -}}
{{ include "common.tmp" . }}
{{ include "common.kafka.volume" . }}
{{ include "api.storeVolume" . }}
{{- if include "api.usesTrino" . }}
{{ include "common.trino.volume" . }}
{{- end }}
{{- end }}

{{/*
The claim of the volume for the world's snapshots; nothing if they are on none.
*/}}
{{- define "api.snapshotClaim" -}}
{{- with .Values.world.snapshots }}
{{- if and .enabled .persistent }}{{ .existingClaim | default "world-snapshots" }}{{ end }}
{{- end }}
{{- end }}

{{/*
The volume for the world's snapshots.
*/}}
{{- define "api.snapshots" -}}
name: snapshots
{{- with include "api.snapshotClaim" . }}
persistentVolumeClaim: {claimName: {{ . }}}
{{- else }}
emptyDir: {sizeLimit: {{ .Values.world.snapshots.storage.size }}}
{{- end }}
{{- end }}
