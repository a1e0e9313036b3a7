{{/*
The mount, in a container of one of our images, of the configuration with which clients find HDFS.
*/}}
{{- define "common.hdfs.mount" -}}
- {name: hdfs-client, mountPath: /etc/hadoop/hdfs-client}
{{- end }}

{{/*
Its volume. The chart hdfs makes the ConfigMap; for another HDFS you do.
*/}}
{{- define "common.hdfs.volume" -}}
- {name: hdfs-client, configMap: {name: hdfs-client}}
{{- end }}

{{/*
The annotation that restarts a pod when the values change of which the chart hdfs makes that configuration.
*/}}
{{- define "common.hdfs.checksum" -}}
checksum/hdfs-client: {{ toYaml .Values.global.hdfs | sha256sum }}
{{- end }}
