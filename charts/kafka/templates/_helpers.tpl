{{/*
Where clients find the cluster: the Service is named by Strimzi.
*/}}
{{- define "kafka.bootstrapServers" -}}
{{ .Values.clusterName }}-kafka-bootstrap:{{ .Values.port }}
{{- end }}

{{/*
The metadata of a resource that Strimzi looks after. It hands labels down to the pods: none here changes with a version.
Arguments: the context, the resource's name.
*/}}
{{- define "kafka.metadata" -}}
name: {{ last . }}
labels:
  strimzi.io/cluster: {{ (first .).Values.clusterName }}
  {{- include "common.selector" "kafka" | nindent 2 }}
{{- end }}

{{/*
The annotation of what must not go with the release.
*/}}
{{- define "kafka.kept" -}}
{{- if .Values.keepOnUninstall -}}
annotations: {helm.sh/resource-policy: keep}
{{- end }}
{{- end }}

{{/*
The security of Strimzi's pods. Their images' user is in group 0, to which the volumes belong.
*/}}
{{- define "kafka.pod" -}}
{{- with .Values.global.imagePullSecrets -}}
imagePullSecrets: {{- toYaml . | nindent 2 }}
{{ end -}}
securityContext:
  runAsNonRoot: true
  fsGroup: 0
  seccompProfile: {type: RuntimeDefault}
{{- end }}

{{/*
Stops at once what Strimzi would report in a status, or Kafka at the first event.
*/}}
{{- define "kafka.check" -}}
{{- if gt (int .Values.replicationFactor) (int .Values.replicas) }}
{{- fail (printf "replicationFactor: %v copies need as many nodes, replicas is %v" .Values.replicationFactor .Values.replicas) }}
{{- end }}
{{- if gt (int .Values.minInsyncReplicas) (int .Values.replicationFactor) }}
{{- fail (printf "minInsyncReplicas: %v copies are asked for, replicationFactor makes %v" .Values.minInsyncReplicas .Values.replicationFactor) }}
{{- end }}
{{- end }}
