using Langevin.Data;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Langevin.Tests.Data;

/// <summary>Two strided convolutions and two linear layers, trained for a moment: says whether the labels can be read off the images.</summary>
internal static class TinyClassifier
{
    public static double Accuracy(IDataset train, IDataset test, int steps)
    {
        manual_seed(0);
        long c = train.ItemShape[0], features = 32 * (train.ItemShape[1] / 4) * (train.ItemShape[2] / 4);
        using var net = Sequential(Conv2d(c, 12, 5, stride: 2, padding: 2), ReLU(), Conv2d(12, 32, 3, stride: 2, padding: 1), ReLU(),
            Flatten(), Linear(features, 64), ReLU(), Linear(64, train.ClassCount));
        using var optimizer = optim.Adam(net.parameters(), 2e-3);
        int step = 0;
        foreach (var batch in new DataLoader(train, 64, seed: 1).Batches())
            using (batch)
            using (NewDisposeScope())
            {
                foreach (var group in optimizer.ParamGroups) group.LearningRate = 2e-3 * (1 - (double)step / steps);
                optimizer.zero_grad();
                functional.cross_entropy(net.forward(batch.Samples), batch.Labels!).backward();
                optimizer.step();
                if (++step == steps) break;
            }

        using var scope = no_grad();
        long right = 0;
        foreach (var batch in test.InOrder(250))
            using (batch)
            using (NewDisposeScope())
                right += net.forward(batch.Samples).argmax(1).eq(batch.Labels!).sum().item<long>();
        return (double)right / test.Count;
    }
}
