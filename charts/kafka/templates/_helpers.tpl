{{/*
The address of the cluster, at the listener with TLS: Strimzi names the Service.
*/}}
{{- define "kafka.bootstrapServers" -}}
{{ .Values.clusterName }}-kafka-bootstrap:{{ .Values.listeners.tls }}
{{- end }}

{{/*
A listener, to which the components that need Kafka may connect.
Arguments: the context, its name, its port, whether it has TLS.
*/}}
{{- define "kafka.listener" -}}
{{- $context := first . -}}
- name: {{ index . 1 }}
  port: {{ index . 2 }}
  type: internal
  tls: {{ last . }}
  authentication: {type: scram-sha-512}
  {{- if $context.Values.networkPolicy.enabled }}
  networkPolicyPeers:
    {{- include "common.peers" (list "api" "world" "spark" "trino" "helm-test") | nindent 4 }}
    {{- with $context.Values.networkPolicy.extraPeers }}{{ toYaml . | nindent 4 }}{{ end }}
  {{- end }}
{{- end }}

{{/*
The metadata of a Strimzi resource. Strimzi copies labels to the pods, so none here changes with a version.
Arguments: the context, the resource's name.
*/}}
{{- define "kafka.metadata" -}}
name: {{ last . }}
labels:
  strimzi.io/cluster: {{ (first .).Values.clusterName }}
  {{- include "common.selector" "kafka" | nindent 2 }}
{{- end }}

{{/*
The annotation of objects that outlive the release.
*/}}
{{- define "kafka.kept" -}}
{{- if .Values.keepOnUninstall -}}
annotations: {helm.sh/resource-policy: keep}
{{- end }}
{{- end }}

{{/*
Rejects values that Strimzi would report only in a status, or Kafka only at the first event.
*/}}
{{- define "kafka.check" -}}
{{- if not (or .Values.controllers.replicas (has (int .Values.replicas) (list 1 3 5))) }}
{{- fail (printf "replicas: 1, 3 or 5 nodes can be brokers and controllers, not %v; set controllers.replicas" .Values.replicas) }}
{{- end }}
{{- if gt (int .Values.replicationFactor) (int .Values.replicas) }}
{{- fail (printf "replicationFactor: %v copies need as many nodes, replicas is %v" .Values.replicationFactor .Values.replicas) }}
{{- end }}
{{- if gt (int .Values.minInsyncReplicas) (int .Values.replicationFactor) }}
{{- fail (printf "minInsyncReplicas: %v copies are asked for, replicationFactor makes %v" .Values.minInsyncReplicas .Values.replicationFactor) }}
{{- end }}
{{- end }}
