"""An app that the real worker refuses: the parameter is not named as the binding says."""

import azure.functions as func

app = func.FunctionApp()


@app.queue_trigger(arg_name="message", queue_name="q", connection="AzureWebJobsStorage")
async def work(msg: func.QueueMessage) -> None:
    pass
