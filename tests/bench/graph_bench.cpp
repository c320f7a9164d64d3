// Frames per second of the topology in software rendering at 1032x708: panning by 12 px a frame,
// and zooming by 2 % a frame. items_per_second is frames per second.
#include "app/graph/topology_view.h"
#include "app/theme/theme.h"
#include "tests/gui/graph_sample.h"

#include <QApplication>
#include <QImage>
#include <QPainter>

#include <benchmark/benchmark.h>

#include <memory>

namespace {

// One application for the whole run; benchmark_main owns main().
QApplication& application()
{
    static int count = 1;
    static char name[] = "graph_bench";
    static char* arguments[] = {name, nullptr};
    static const auto made = std::make_unique<QApplication>(count, arguments);
    return *made;
}

std::unique_ptr<mesh::graph::TopologyView> makeView(int nodes, int edges)
{
    mesh::theme::apply(application(), mesh::theme::Choice::Dark);
    const mesh::bridge::Topology topology = mesh::test::largeTopology(nodes, edges);
    auto view = std::make_unique<mesh::graph::TopologyView>();
    view->resize(1032, 708);
    view->setPositions(mesh::graph::layOut(mesh::graph::layoutInput(topology), {}));
    view->setTopology(topology);
    view->fit();
    return view;
}

void draw(mesh::graph::TopologyView& view, QImage& image)
{
    QPainter painter(&image);
    view.render(&painter, QPoint(), QRegion(), QWidget::DrawChildren);
    QApplication::processEvents();
}

void pan(benchmark::State& state, double zoom)
{
    const auto view = makeView(static_cast<int>(state.range(0)), static_cast<int>(state.range(1)));
    QImage image(1032, 708, QImage::Format_ARGB32_Premultiplied);
    const QPointF middle = view->center();
    view->setZoom(zoom > 0 ? zoom : view->zoom());
    for (int i = 0; i < 40; ++i) {
        draw(*view, image); // Fill the view once.
    }
    int frame = 0;
    for ([[maybe_unused]] auto unused : state) {
        ++frame;
        const int phase = frame % 200;
        const double way = (phase < 100 ? phase : 200 - phase) * 12 / view->zoom();
        view->centerOn(middle + QPointF(way, way / 3));
        draw(*view, image);
    }
    state.SetItemsProcessed(state.iterations());
}

void panFitted(benchmark::State& state) { pan(state, 0); }

void panFull(benchmark::State& state) { pan(state, 1); }

void zoomInAndOut(benchmark::State& state)
{
    const auto view = makeView(static_cast<int>(state.range(0)), static_cast<int>(state.range(1)));
    QImage image(1032, 708, QImage::Format_ARGB32_Premultiplied);
    draw(*view, image);
    int frame = 0;
    for ([[maybe_unused]] auto unused : state) {
        ++frame;
        view->setZoom(view->zoom() * (frame % 80 < 40 ? 1.02 : 1 / 1.02));
        draw(*view, image);
    }
    state.SetItemsProcessed(state.iterations());
}

} // namespace

BENCHMARK(panFitted)
    ->Args({1'000, 4'000})
    ->Args({10'000, 40'000})
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);
BENCHMARK(panFull)
    ->Args({1'000, 4'000})
    ->Args({10'000, 40'000})
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);
BENCHMARK(zoomInAndOut)
    ->Args({1'000, 4'000})
    ->Args({10'000, 40'000})
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);
