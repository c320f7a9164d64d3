<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="en" sourcelanguage="en">
    <context>
        <name>Rehearsal</name>
        <message numerus="yes">
            <source>%n run(s)</source>
            <translation>
                <numerusform>%n run</numerusform>
                <numerusform>%n runs</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>and %n more</source>
            <translation>
                <numerusform>and %n more</numerusform>
                <numerusform>and %n more</numerusform>
            </translation>
        </message>
    </context>
    <context>
        <name>mesh::bridge::MeshSession</name>
        <message numerus="yes">
            <source>%n event(s) dropped.</source>
            <translation>
                <numerusform>%n event dropped.</numerusform>
                <numerusform>%n events dropped.</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>%n request(s) in the last second</source>
            <translation>
                <numerusform>%n request in the last second</numerusform>
                <numerusform>%n requests in the last second</numerusform>
            </translation>
        </message>
    </context>
    <context>
        <name>mesh::charts::RunTimeline</name>
        <message numerus="yes">
            <source>%n fault(s)</source>
            <translation>
                <numerusform>%n fault</numerusform>
                <numerusform>%n faults</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>%n clip(s)</source>
            <translation>
                <numerusform>%n clip</numerusform>
                <numerusform>%n clips</numerusform>
            </translation>
        </message>
    </context>
    <context>
        <name>mesh::forms::SchemaForm</name>
        <message numerus="yes">
            <source>%n in this list</source>
            <translation>
                <numerusform>%n in this list</numerusform>
                <numerusform>%n in this list</numerusform>
            </translation>
        </message>
    </context>
    <context>
        <name>mesh::graph::ZonesPanel</name>
        <message numerus="yes">
            <source>%n instance(s)</source>
            <translation>
                <numerusform>%n instance</numerusform>
                <numerusform>%n instances</numerusform>
            </translation>
        </message>
    </context>
    <context>
        <name>mesh::pages::EditPage</name>
        <message numerus="yes">
            <source>%n in this object</source>
            <translation>
                <numerusform>%n in this object</numerusform>
                <numerusform>%n in this object</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>used by %n service(s)</source>
            <translation>
                <numerusform>used by %n service</numerusform>
                <numerusform>used by %n services</numerusform>
            </translation>
        </message>
    </context>
    <context>
        <name>mesh::pages::FindingsPage</name>
        <message numerus="yes">
            <source>%n problem(s)</source>
            <translation>
                <numerusform>%n problem</numerusform>
                <numerusform>%n problems</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>%n event(s)</source>
            <translation>
                <numerusform>%n event</numerusform>
                <numerusform>%n events</numerusform>
            </translation>
        </message>
    </context>
    <context>
        <name>mesh::pages::FirstRunPage</name>
        <message numerus="yes">
            <source>%n services</source>
            <translation>
                <numerusform>%n service</numerusform>
                <numerusform>%n services</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>%n nodes</source>
            <translation>
                <numerusform>%n node</numerusform>
                <numerusform>%n nodes</numerusform>
            </translation>
        </message>
    </context>
    <context>
        <name>mesh::pages::Inspector</name>
        <message numerus="yes">
            <source>%n services and gateways</source>
            <translation>
                <numerusform>%n service or gateway</numerusform>
                <numerusform>%n services and gateways</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>Show %n</source>
            <translation>
                <numerusform>Show %n</numerusform>
                <numerusform>Show %n</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>Show %n failed requests</source>
            <translation>
                <numerusform>Show %n failed request</numerusform>
                <numerusform>Show %n failed requests</numerusform>
            </translation>
        </message>
    </context>
    <context>
        <name>mesh::pages::ObjectTree</name>
        <message numerus="yes">
            <source>Filter %n objects</source>
            <translation>
                <numerusform>Filter %n object</numerusform>
                <numerusform>Filter %n objects</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>✎ %n changed</source>
            <translation>
                <numerusform>✎ %n changed</numerusform>
                <numerusform>✎ %n changed</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>✕ %n error(s)</source>
            <translation>
                <numerusform>✕ %n error</numerusform>
                <numerusform>✕ %n errors</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>! %n warning(s)</source>
            <translation>
                <numerusform>! %n warning</numerusform>
                <numerusform>! %n warnings</numerusform>
            </translation>
        </message>
    </context>
    <context>
        <name>mesh::pages::RehearseBar</name>
        <message numerus="yes">
            <source>seed %1 · %n run(s)</source>
            <translation>
                <numerusform>seed %1 · %n run</numerusform>
                <numerusform>seed %1 · %n runs</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>%n run(s)</source>
            <translation>
                <numerusform>%n run</numerusform>
                <numerusform>%n runs</numerusform>
            </translation>
        </message>
    </context>
    <context>
        <name>mesh::pages::TopologyPage</name>
        <message numerus="yes">
            <source>%n match(es)</source>
            <translation>
                <numerusform>%n match</numerusform>
                <numerusform>%n matches</numerusform>
            </translation>
        </message>
    </context>
    <context>
        <name>mesh::pages::VerdictPane</name>
        <message numerus="yes">
            <source>(and %n more)</source>
            <translation>
                <numerusform>(and %n more)</numerusform>
                <numerusform>(and %n more)</numerusform>
            </translation>
        </message>
    </context>
    <context>
        <name>mesh::shell::HonestyStrip</name>
        <message numerus="yes">
            <source>%n changes not pushed</source>
            <translation>
                <numerusform>%n change not pushed</numerusform>
                <numerusform>%n changes not pushed</numerusform>
            </translation>
        </message>
    </context>
    <context>
        <name>mesh::shell::MainWindow</name>
        <message numerus="yes">
            <source>%n error(s)</source>
            <translation>
                <numerusform>%n error</numerusform>
                <numerusform>%n errors</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>%n warning(s)</source>
            <translation>
                <numerusform>%n warning</numerusform>
                <numerusform>%n warnings</numerusform>
            </translation>
        </message>
    </context>
    <context>
        <name>mesh::shell::RailButton</name>
        <message numerus="yes">
            <source>%n findings</source>
            <translation>
                <numerusform>%n finding</numerusform>
                <numerusform>%n findings</numerusform>
            </translation>
        </message>
    </context>
    <context>
        <name>mesh::shell::ReviewDialog</name>
        <message numerus="yes">
            <source>%n object(s) change</source>
            <translation>
                <numerusform>%n object change</numerusform>
                <numerusform>%n objects change</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>%n change(s)</source>
            <translation>
                <numerusform>%n change</numerusform>
                <numerusform>%n changes</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>%n node(s)</source>
            <translation>
                <numerusform>%n node</numerusform>
                <numerusform>%n nodes</numerusform>
            </translation>
        </message>
    </context>
    <context>
        <name>mesh::shell::TopBar</name>
        <message numerus="yes">
            <source>Review %n changes</source>
            <translation>
                <numerusform>Review %n change</numerusform>
                <numerusform>Review %n changes</numerusform>
            </translation>
        </message>
    </context>
</TS>
