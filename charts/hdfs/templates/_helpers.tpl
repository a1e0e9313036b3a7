{{/*
The common part of NameNode and DataNode: image, environment and configuration.
Arguments: the context, the server's name, its values.
*/}}
{{- define "hdfs.server" -}}
{{- $context := first . -}}
{{- $name := index . 1 -}}
{{- include "common.image" (list $context $context.Values.image) }}
args: [{{ $name }}]
env:
  - name: POD_NAME
    valueFrom: {fieldRef: {fieldPath: metadata.name}}
  - {name: HDFS_HOST, value: $(POD_NAME).{{ $name }}.{{ $context.Release.Namespace }}.svc.{{ $context.Values.clusterDomain }}}
  - {name: HDFS_DATA, value: /data}
  - {name: HDFS_HEAP, value: {{ (last .).heap | quote }}}
  {{- include "common.javaOptions" $context | nindent 2 }}
resources: {{- toYaml (last .).resources | nindent 2 }}
{{ include "common.container" . }}
volumeMounts:
  - {name: data, mountPath: /data}
  - {name: tmp, mountPath: /tmp}
  {{- include "common.hdfs.mount" . | nindent 2 }}
  - {name: config, mountPath: /opt/gamelake/images/hdfs/conf/hdfs-site.xml, subPath: hdfs-site.xml}
  - {name: config, mountPath: /probes/jmx, subPath: jmx}
{{- end }}

{{/*
The volumes of both, except the persistent one.
*/}}
{{- define "hdfs.volumes" -}}
- {name: tmp, emptyDir: {}}
- {name: config, configMap: {name: hdfs}}
{{ include "common.hdfs.volume" . }}
{{- end }}

{{/*
A probe that queries the server in its own pod.
Arguments: its HTTP port, the bean, the text that the bean must contain.
*/}}
{{- define "hdfs.probe" -}}
exec: {command: [bash, /probes/jmx, {{ index . 0 | quote }}, {{ index . 1 | quote }}, {{ index . 2 | quote }}]}
timeoutSeconds: 10
{{- end }}

{{/*
The annotation that restarts the servers when their configuration changes.
*/}}
{{- define "hdfs.checksum" -}}
checksum/config: {{ include (print $.Template.BasePath "/configmap.yaml") . | sha256sum }}
{{- end }}

{{/*
Rejects a value that HDFS would accept but never satisfy: more copies than DataNodes.
*/}}
{{- define "hdfs.check" -}}
{{- if gt (int .Values.global.hdfs.replication) (int .Values.datanode.replicas) }}
{{- fail (printf "global.hdfs.replication: %v copies need as many DataNodes, datanode.replicas is %v" .Values.global.hdfs.replication .Values.datanode.replicas) }}
{{- end }}
{{- end }}
