def clean(message):
    message.write("PID-8", "U")
