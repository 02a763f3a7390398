"""Sends GenAI spans and logs through the unchanged OpenTelemetry Python SDK; prints what it sent as JSON.

Where to send is told by the SDK's own environment variables (OTEL_EXPORTER_OTLP_*).
"""

import json
import logging

from opentelemetry import trace
from opentelemetry._logs import set_logger_provider
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk._logs import LoggerProvider, LoggingHandler
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

SPANS = 50
LOGS = 120
EMAIL = "grete.weiser@example.org"
API_KEY = "sk-proj-" + "aB3dE5fG7hJ9kL1mN2pQ4rS6tU8vW0xY" * 2

resource = Resource.create({"service.name": "python-client"})
traces = TracerProvider(resource=resource)
traces.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
trace.set_tracer_provider(traces)
logs = LoggerProvider(resource=resource)
logs.add_log_record_processor(BatchLogRecordProcessor(OTLPLogExporter()))
set_logger_provider(logs)
logger = logging.getLogger("shop")
logger.setLevel(logging.INFO)
logger.addHandler(LoggingHandler(logger_provider=logs))

tracer = trace.get_tracer("opentelemetry.instrumentation.openai_v2")
for number in range(SPANS):
    with tracer.start_as_current_span("chat gpt-4o-mini", kind=trace.SpanKind.CLIENT) as span:
        text = f"question {number}"
        if number == 0:
            text = f"mail {EMAIL} that the key {API_KEY} leaked"
        messages = [{"role": "user", "parts": [{"type": "text", "content": text}]}]
        answer = [{"role": "assistant", "parts": [{"type": "text", "content": "done"}], "finish_reason": "stop"}]
        span.set_attributes(
            {
                "gen_ai.operation.name": "chat",
                "gen_ai.provider.name": "openai",
                "gen_ai.request.model": "gpt-4o-mini",
                "gen_ai.conversation.id": f"conversation-{number % 5}",
                "user.id": f"user-{number % 3}",
                "gen_ai.usage.input_tokens": 10 + number,
                "gen_ai.usage.output_tokens": 2,
                "gen_ai.response.finish_reasons": ["stop"],
                "gen_ai.input.messages": json.dumps(messages),
                "gen_ai.output.messages": json.dumps(answer),
            }
        )
for number in range(LOGS):
    logger.warning("order %d for %s with %s", number, EMAIL, API_KEY)
traces.shutdown()
logs.shutdown()
print(json.dumps({"spans": SPANS, "logs": LOGS, "email": EMAIL, "api_key": API_KEY}))
