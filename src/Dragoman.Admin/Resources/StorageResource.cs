using Dragoman.Admin.Http;
using Dragoman.Storage.Journal;
using Microsoft.AspNetCore.Http;

namespace Dragoman.Admin.Resources;

/// <summary><c>POST /_dragoman/v1/storage/checkpoint</c>: moves what is in the journal to segments now, as before a backup.</summary>
internal sealed class StorageResource(AdminNode node)
{
    public async Task CheckpointAsync(HttpContext context)
    {
        RequestPath.RequireMethod(context, HttpMethods.Post);
        try
        {
            await node.Broker.Store.CheckpointAsync(context.RequestAborted);
        }
        catch (StorageFullException full)
        {
            throw new ProblemException(StatusCodes.Status507InsufficientStorage, "Disk full", full.Message);
        }
        catch (StoreFailedException failed)
        {
            throw new ProblemException(StatusCodes.Status503ServiceUnavailable, "Storage failed", failed.Message);
        }
        context.Response.StatusCode = StatusCodes.Status204NoContent;
    }
}
