Creator "linuxnet.lab contributors"
graph [
  label "Island"
  GeoLocation "Nowhere"
  Backbone 1
  DateObtained "1/01/26"
  node [
    id 0
    label "North Head"
    Longitude -4.00
    Latitude 54.00
    Internal 1
  ]
  node [
    id 1
    label "Kettle Bay"
    Longitude -3.89
    Latitude 54.35
    Internal 1
  ]
  node [
    id 2
    label "Fallow"
    Longitude -3.78
    Latitude 54.70
    Internal 1
  ]
  node [
    id 3
    label "Øst"
    Longitude -3.67
    Latitude 55.05
    Internal 1
  ]
  node [
    id 4
    label "Whin"
    Longitude -3.56
    Latitude 54.20
    Internal 1
  ]
  node [
    id 5
    label "Sandgate"
    Longitude -3.45
    Latitude 54.55
    Internal 1
  ]
  node [
    id 6
    label "Ferry"
    Longitude -3.34
    Latitude 54.90
    Internal 1
  ]
  node [
    id 7
    label "Millbrook"
    Longitude -3.23
    Latitude 54.05
    Internal 1
  ]
  node [
    id 8
    label "Łąka"
    Longitude -3.12
    Latitude 54.40
    Internal 1
  ]
  node [
    id 9
    label "Stone Cross"
    Longitude -3.01
    Latitude 54.75
    Internal 1
  ]
  node [
    id 10
    label "Ferry"
    Longitude -2.90
    Latitude 55.10
    Internal 1
  ]
  node [
    id 11
    label "Quarry"
    Longitude -2.79
    Latitude 54.25
    Internal 1
  ]
  node [
    id 12
    label "Lighthouse"
    Longitude -2.68
    Latitude 54.60
    Internal 1
  ]
  node [
    id 13
    label "South Head"
    Longitude -2.57
    Latitude 54.95
    Internal 1
  ]
  node [
    id 14
    label "Old Town"
    Longitude -2.46
    Latitude 54.10
    Internal 1
  ]
  node [
    id 15
    label "New Town"
    Longitude -2.35
    Latitude 54.45
    Internal 1
  ]
  node [
    id 16
    Longitude -2.24
    Latitude 54.80
    Internal 1
  ]
  node [
    id 17
    label "Marsh"
    Longitude -2.13
    Latitude 55.15
    Internal 1
  ]
  node [
    id 18
    label "Copse"
    Longitude -2.02
    Latitude 54.30
    Internal 1
  ]
  node [
    id 19
    label "Weir"
    Longitude -1.91
    Latitude 54.65
    Internal 1
  ]
  node [
    id 20
    label "Abbey"
    Longitude -1.80
    Latitude 55.00
    Internal 1
  ]
  node [
    id 21
    label "Ridge"
    Longitude -1.69
    Latitude 54.15
    Internal 1
  ]
  node [
    id 22
    label "Harbour"
    Longitude -1.58
    Latitude 54.50
    Internal 1
  ]
  node [
    id 23
    label "Isle"
    Longitude -1.47
    Latitude 54.85
    Internal 1
  ]
  edge [
    source 0
    target 1
    LinkSpeed "10"
    LinkLabel "< 10 Gbps"
  ]
  edge [
    source 1
    target 2
    LinkSpeed "10"
    LinkLabel "< 10 Gbps"
  ]
  edge [
    source 2
    target 3
    LinkSpeed "10"
    LinkLabel "< 10 Gbps"
  ]
  edge [
    source 3
    target 4
    LinkSpeed "10"
    LinkLabel "< 10 Gbps"
  ]
  edge [
    source 4
    target 5
    LinkSpeed "10"
    LinkLabel "< 10 Gbps"
  ]
  edge [
    source 5
    target 6
    LinkSpeed "10"
    LinkLabel "< 10 Gbps"
  ]
  edge [
    source 6
    target 7
    LinkSpeed "10"
    LinkLabel "< 10 Gbps"
  ]
  edge [
    source 7
    target 8
    LinkSpeed "10"
    LinkLabel "< 10 Gbps"
  ]
  edge [
    source 8
    target 9
    LinkSpeed "10"
    LinkLabel "< 10 Gbps"
  ]
  edge [
    source 9
    target 10
    LinkSpeed "10"
    LinkLabel "< 10 Gbps"
  ]
  edge [
    source 10
    target 11
    LinkSpeed "10"
    LinkLabel "< 10 Gbps"
  ]
  edge [
    source 11
    target 0
    LinkSpeed "10"
    LinkLabel "< 10 Gbps"
  ]
  edge [
    source 0
    target 6
    LinkSpeed "10"
    LinkLabel "< 10 Gbps"
  ]
  edge [
    source 2
    target 9
    LinkSpeed "10"
    LinkLabel "< 10 Gbps"
  ]
  edge [
    source 4
    target 11
    LinkSpeed "10"
    LinkLabel "< 10 Gbps"
  ]
  edge [
    source 3
    target 12
    LinkSpeed "10"
    LinkLabel "< 10 Gbps"
  ]
  edge [
    source 12
    target 13
    LinkSpeed "10"
    LinkLabel "< 10 Gbps"
  ]
  edge [
    source 13
    target 14
    LinkSpeed "10"
    LinkLabel "< 10 Gbps"
  ]
  edge [
    source 12
    target 15
    LinkSpeed "10"
    LinkLabel "< 10 Gbps"
  ]
  edge [
    source 7
    target 16
    LinkSpeed "10"
    LinkLabel "< 10 Gbps"
  ]
  edge [
    source 16
    target 17
    LinkSpeed "10"
    LinkLabel "< 10 Gbps"
  ]
  edge [
    source 17
    target 18
    LinkSpeed "10"
    LinkLabel "< 10 Gbps"
  ]
  edge [
    source 16
    target 19
    LinkSpeed "10"
    LinkLabel "< 10 Gbps"
  ]
  edge [
    source 19
    target 20
    LinkSpeed "10"
    LinkLabel "< 10 Gbps"
  ]
  edge [
    source 20
    target 17
    LinkSpeed "10"
    LinkLabel "< 10 Gbps"
  ]
  edge [
    source 10
    target 21
    LinkSpeed "10"
    LinkLabel "< 10 Gbps"
  ]
  edge [
    source 21
    target 22
    LinkSpeed "10"
    LinkLabel "< 10 Gbps"
  ]
  edge [
    source 22
    target 23
    LinkSpeed "10"
    LinkLabel "< 10 Gbps"
  ]
  edge [
    source 5
    target 6
    LinkSpeed "10"
    LinkLabel "< 10 Gbps"
  ]
  edge [
    source 22
    target 22
    LinkSpeed "10"
    LinkLabel "< 10 Gbps"
  ]
]
