{{/*
Whether there are two NameNodes, with all that lets one take over from the other.
*/}}
{{- define "hdfs.failover" -}}
{{ eq (int .Values.global.hdfs.namenodes) 2 }}
{{- end }}

{{/*
The name of a StatefulSet's pod in the cluster's DNS.
Arguments: the context, the StatefulSet's name, the pod's number.
*/}}
{{- define "hdfs.host" -}}
{{- $context := first . -}}
{{ index . 1 }}-{{ last . }}.{{ index . 1 }}.{{ $context.Release.Namespace }}.svc.{{ $context.Values.clusterDomain }}
{{- end }}

{{/*
The addresses of the three ZooKeeper servers.
Arguments: the context, what follows each host, what is between two of them.
*/}}
{{- define "hdfs.zookeepers" -}}
{{- $hosts := list -}}
{{- range $number := until 3 -}}
{{- $hosts = append $hosts (printf "%s%s" (include "hdfs.host" (list (first $) "zookeeper" $number)) (index $ 1)) -}}
{{- end -}}
{{ join (last .) $hosts }}
{{- end }}

{{/*
The addresses of the three JournalNodes, which are those of their own Services.
Arguments: the context, the port, what is between two of them.
*/}}
{{- define "hdfs.journalnodes" -}}
{{- $domain := printf "%s.svc.%s" (first .).Release.Namespace (first .).Values.clusterDomain -}}
{{- $addresses := list -}}
{{- range $number := until 3 -}}
{{- $addresses = append $addresses (printf "journalnode-%d.%s:%v" $number $domain (index $ 1)) -}}
{{- end -}}
{{ join (last .) $addresses }}
{{- end }}

{{/*
The variables with which one of two NameNodes and its failover controller find the other servers; nothing for a single one.
*/}}
{{- define "hdfs.failoverEnvironment" -}}
{{- if eq (include "hdfs.failover" .) "true" -}}
- name: POD_INDEX
  valueFrom: {fieldRef: {fieldPath: "metadata.labels['apps.kubernetes.io/pod-index']"}}
- {name: HDFS_NAMENODE_ID, value: nn$(POD_INDEX)}
- {name: HDFS_JOURNALNODES, value: {{ include "hdfs.journalnodes" (list . 8485 ";") | quote }}}
- {name: HDFS_JOURNALNODES_HTTP, value: {{ include "hdfs.journalnodes" (list . 8480 " ") | quote }}}
- {name: HDFS_ZOOKEEPER, value: {{ include "hdfs.zookeepers" (list . ":2181" ",") | quote }}}
{{- end }}
{{- end }}

{{/*
The common part of all servers of HDFS: image, environment and resources.
Arguments: the context, the name of its Service, the server's name, its values, more variables.
*/}}
{{- define "hdfs.program" -}}
{{- $context := first . -}}
{{- $values := index . 3 -}}
{{- include "common.image" (list $context $context.Values.image) }}
args: [{{ index . 2 }}]
env:
  - name: POD_NAME
    valueFrom: {fieldRef: {fieldPath: metadata.name}}
  - {name: HDFS_HOST, value: $(POD_NAME).{{ index . 1 }}.{{ $context.Release.Namespace }}.svc.{{ $context.Values.clusterDomain }}}
  - {name: HDFS_DATA, value: /data}
  - {name: HDFS_HEAP, value: {{ $values.heap | quote }}}
  {{- with last . }}{{ . | nindent 2 }}{{ end }}
  {{- include "common.javaOptions" $context | nindent 2 }}
resources: {{- toYaml $values.resources | nindent 2 }}
{{ include "common.container" . }}
{{- end }}

{{/*
A server that reads Hadoop's configuration.
Arguments: the context, the server's name, which is that of its Service, its values, more variables.
*/}}
{{- define "hdfs.server" -}}
{{ include "hdfs.program" (list (first .) (index . 1) (index . 1) (index . 2) (last .)) }}
volumeMounts:
  - {name: data, mountPath: /data}
  {{- include "hdfs.mounts" . | nindent 2 }}
{{- end }}

{{/*
The mounts of such a server, except its data.
*/}}
{{- define "hdfs.mounts" -}}
- {name: tmp, mountPath: /tmp}
{{ include "common.hdfs.mount" . }}
- {name: config, mountPath: /opt/gamelake/images/hdfs/conf/hdfs-site.xml, subPath: hdfs-site.xml}
- {name: config, mountPath: /probes/jmx, subPath: jmx}
{{- end }}

{{/*
The volumes of both, except the persistent one.
*/}}
{{- define "hdfs.volumes" -}}
{{ include "common.tmp" . }}
- {name: config, configMap: {name: hdfs}}
{{ include "common.hdfs.volume" . }}
{{- end }}

{{/*
A probe that queries the server in its own pod.
Arguments: its HTTP port, the bean, the text that the bean must contain, optionally one that it must not contain.
*/}}
{{- define "hdfs.probe" -}}
{{- $words := concat (list "bash" "/probes/jmx") . -}}
exec: {command: {{ toJson $words }}}
timeoutSeconds: 10
{{- end }}

{{/*
The container with the server's metrics at port 9404, so that who reads them needs no other port; nothing without monitoring.
Arguments: the context, the server's HTTP port.
*/}}
{{- define "hdfs.metrics" -}}
{{- $context := first . -}}
{{- if $context.Values.monitoring.enabled -}}
- name: metrics
  {{- include "common.image" (list $context $context.Values.monitoring.image) | nindent 2 }}
  command: [tini, --, python3, -c, {{ $context.Files.Get "files/metrics.py" | quote }}, {{ last . | quote }}]
  ports: [{name: metrics, containerPort: 9404}]
  resources:
    requests: {cpu: 10m, memory: 32Mi}
    limits: {memory: 64Mi}
  {{- include "common.container" $context | nindent 2 }}
{{- end }}
{{- end }}

{{/*
The annotation that restarts the servers when their configuration changes.
*/}}
{{- define "hdfs.checksum" -}}
checksum/config: {{ include (print $.Template.BasePath "/configmap.yaml") . | sha256sum }}
{{- end }}

{{/*
Rejects values that HDFS would accept but never satisfy, and changes of a running HDFS that Kubernetes or HDFS would refuse.
*/}}
{{- define "hdfs.check" -}}
{{- if gt (int .Values.global.hdfs.replication) (int .Values.datanode.replicas) }}
{{- fail (printf "global.hdfs.replication: %v copies need as many DataNodes, datanode.replicas is %v" .Values.global.hdfs.replication .Values.datanode.replicas) }}
{{- end }}
{{- with lookup "apps/v1" "StatefulSet" .Release.Namespace "namenode" }}
{{- if and (eq (include "hdfs.failover" $) "true") (ne .spec.podManagementPolicy "Parallel") }}
{{- fail "global.hdfs.namenodes: for a second NameNode first run: kubectl delete statefulset namenode" }}
{{- else if and (eq (include "hdfs.failover" $) "false") (gt (int .spec.replicas) 1) }}
{{- fail "global.hdfs.namenodes: two NameNodes share their edits, and cannot become one again" }}
{{- end }}
{{- end }}
{{- end }}
