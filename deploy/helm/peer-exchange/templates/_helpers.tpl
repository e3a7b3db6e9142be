{{- define "px.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 40 | trimSuffix "-" }}
{{- end }}

{{- define "px.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" }}
{{- else if contains (include "px.name" .) .Release.Name }}
{{- .Release.Name | trunc 40 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name (include "px.name" .) | trunc 40 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "px.operator" -}}
{{ include "px.fullname" . }}-operator
{{- end }}

{{- define "px.selector" -}}
app.kubernetes.io/name: peerexchange-operator
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "px.labels" -}}
{{ include "px.selector" . }}
app.kubernetes.io/part-of: peerexchange
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}

{{- /* An image: list of the values of one, and the chart's context. */ -}}
{{- define "px.image" -}}
{{- $image := index . 0 }}{{ $top := index . 1 -}}
{{- if $image.digest -}}
{{ $image.repository }}@{{ $image.digest }}
{{- else -}}
{{ $image.repository }}:{{ default $top.Chart.AppVersion $image.tag }}
{{- end }}
{{- end }}

{{- define "px.everywhere" -}}
{{- if has "*" .Values.namespaces }}yes{{ end }}
{{- end }}

{{- define "px.namespaces" -}}
{{- default (list .Release.Namespace) .Values.namespaces | uniq | toJson }}
{{- end }}

{{- /* The name of the first network: at most 40 characters and a DNS label, as the definition asks for. */ -}}
{{- define "px.network" -}}
{{- default .Release.Name .Values.network.name }}
{{- end }}
