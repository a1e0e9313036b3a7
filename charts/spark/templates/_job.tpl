{{/*
The spec of a SparkApplication. Every job has the same image, volumes, accounts and security.
Arguments: the context, the job's name, its own fields, its driver's own fields (both as YAML).
*/}}
{{- define "spark.job" -}}
{{- $context := index . 0 }}
{{- $jobs := $context.Values.jobs }}
{{- $pod := include "spark.customizedPod" $context | fromYaml }}
{{- $fields := include "spark.podFields" $pod }}
{{- $trino := dict }}
{{- if eq (index . 1) "tables" }}{{ $trino = include "spark.trino" $context | fromYaml }}{{ end -}}
type: Python
mode: cluster
sparkVersion: 4.1.1
{{ include "common.image" (list $context $context.Values.image) }}
mainApplicationFile: local:///opt/gamelake/spark-apps/{{ index . 1 }}.py
{{ index . 2 }}
hadoopConfigMap: hdfs-client
sparkConf:
  # What does not fit into memory. The volume that Spark makes by itself has no limit.
  {{- range $role := list "driver" "executor" }}
  {{- $scratch := printf "spark.kubernetes.%s.volumes.emptyDir.spark-local-dir-1" $role }}
  {{ $scratch }}.mount.path: /var/data/spark
  {{ $scratch }}.options.sizeLimit: {{ $jobs.scratch }}
  {{- end }}
volumes: {{- concat $pod.spec.volumes ($trino.volumes | default list) | toYaml | nindent 2 }}
driver:
  serviceAccount: spark
  {{- with $jobs.driver }}
  cores: {{ .cores }}
  # The guaranteed share: it gets a whole core and more where some are idle.
  coreRequest: {{ .coreRequest }}
  memory: {{ .memory }}
  memoryOverhead: {{ .memoryOverhead }}
  {{- end }}
  envFrom: [{configMapRef: {name: gamelake-jobs}}]
  {{- $password := dict "secretKeyRef" (dict "name" "spark" "key" "password") }}
  {{- $own := merge (dict "env" (list (dict "name" "KAFKA_SASL_PASSWORD" "valueFrom" $password))) (index . 3 | fromYaml) }}
  {{- $own = include "common.over" (list $own ($fields | fromYaml)) | fromYaml }}
  {{- include "common.over" (list $own (omit $trino "volumes")) | nindent 2 }}
executor:
  serviceAccount: spark-executor
  {{- with $jobs.executor }}
  instances: {{ .instances }}
  cores: {{ .cores }}
  coreRequest: {{ .coreRequest }}
  memory: {{ .memory }}
  memoryOverhead: {{ .memoryOverhead }}
  {{- end }}
  {{- $fields | nindent 2 }}
{{- end }}

{{/*
The pod of a driver or an executor: labels, security, tolerations, volumes and mounts.
*/}}
{{- define "spark.jobPod" -}}
metadata:
  labels: {{- include "common.selector" "spark" | nindent 4 }}
spec:
  securityContext:
    runAsNonRoot: true
    runAsUser: 185
    runAsGroup: 185
    fsGroup: 185
    seccompProfile: {type: RuntimeDefault}
  {{- include "common.tolerations" . | nindent 2 }}
  containers:
    - {{- include "common.container" . | nindent 6 }}
      volumeMounts:
        - {name: tmp, mountPath: /tmp}
        {{- include "common.kafka.mount" . | nindent 8 }}
  volumes:
    {{- include "common.tmp" . | nindent 4 }}
    {{- with .Values.global.kafka.caSecret }}
    # Optional, because a Kafka without TLS may have no such Secret.
    - {name: ca, secret: {secretName: {{ . }}, optional: true, items: [{key: ca.crt, path: ca.crt}]}}
    {{- end }}
{{- end }}

{{/*
The same with what global.pod and jobs.pod add to it.
*/}}
{{- define "spark.customizedPod" -}}
{{- include "common.customized" (list . (include "spark.jobPod" . | fromYaml) .Values.jobs.pod) }}
{{- end }}

{{/*
The Secrets that an executor may have: those of its pod, and admission.secrets. Refuses a volume for which the policy would
refuse every executor of the release.
*/}}
{{- define "spark.executorSecrets" -}}
{{- $pod := include "spark.customizedPod" . | fromYaml }}
{{- $names := .Values.admission.secrets }}
{{- range $pod.spec.volumes }}
{{- if and $.Values.jobs.names (not (pick . "emptyDir" "configMap" "downwardAPI" "secret" "projected")) }}
{{- fail (printf "jobs.pod.volumes: admission.enabled lets no executor have a volume such as %s" .name) }}
{{- end }}
{{- $names = append $names (dig "secret" "secretName" "" .) }}
{{- range dig "projected" "sources" list . }}
{{- $names = append $names (dig "secret" "name" "" .) }}
{{- end }}
{{- end }}
{{- range (first $pod.spec.containers).env }}
{{- $names = append $names (dig "valueFrom" "secretKeyRef" "name" "" .) }}
{{- end }}
{{- $names | compact | uniq | toYaml }}
{{- end }}

{{/*
What the driver of the job that creates the views needs beside that.
*/}}
{{- define "spark.trino" -}}
{{- with include "common.trino.password" (list . "gamelake") }}
env: {{- . | nindent 2 }}
{{- end }}
{{- with include "common.trino.mount" . }}
volumeMounts: {{- . | nindent 2 }}
{{- end }}
{{- with include "common.trino.volume" . }}
volumes: {{- . | nindent 2 }}
{{- end }}
{{- end }}

{{/*
The same as fields of a driver or an executor, whose volumes are the application's.
*/}}
{{- define "spark.podFields" -}}
{{- $fields := merge (dict "podSecurityContext" .spec.securityContext) .metadata (first .spec.containers) }}
{{- $fields = merge $fields (omit .spec "containers" "volumes" "securityContext" "topologySpreadConstraints") }}
{{- with .spec.topologySpreadConstraints }}
{{- $_ := set $fields "template" (dict "spec" (dict "topologySpreadConstraints" . "containers" (until 0))) }}
{{- end }}
{{- toYaml $fields }}
{{- end }}

{{/*
The restart policy of a job that runs once: it fails while a server that it needs is starting.
*/}}
{{- define "spark.restartOnFailure" -}}
restartPolicy:
  type: OnFailure
  onFailureRetries: 3
  onFailureRetryInterval: 20
  onSubmissionFailureRetries: 3
  onSubmissionFailureRetryInterval: 20
{{- end }}

{{/*
The metadata of what an upgrade needs before its pods. It exists while the hook runs; a failed one is kept for inspection.
Arguments: the context, the weight: lower ones exist first.
*/}}
{{- define "spark.hook" -}}
name: spark-upgrade
labels: {{- include "common.labels" (list (first .) "spark") | nindent 2 }}
annotations:
  helm.sh/hook: post-install,pre-upgrade
  helm.sh/hook-weight: {{ last . | quote }}
  helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
{{- end }}
